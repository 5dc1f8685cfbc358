import { type Step, step } from '../step.ts';

export type ZipStepId = 'file' | 'bag' | 'tags' | 'attestation' | 'approvals';

/** The steps that only whoever has the whole zip file can make: the page in a bundle cannot read its other files. */
export function newZipSteps(): Record<ZipStepId, Step> {
  return {
    file: step(
      'file',
      'The file is whole',
      'Every byte of the zip file is the one that was written: its digest stands at its end. Nothing was cut off, added or damaged on the way.',
      'Whoever changes a bundle on purpose can write a new digest. The steps below find that.',
    ),
    bag: step(
      'bag',
      'Every file is the one in the manifest',
      'The SHA-256 of every file is computed from its bytes and compared with the manifest (BagIt). No file is missing and none was added.',
      'A manifest can be written anew as well; that is what the two signatures below are for. What stands in a bundle twice for people with other tools (events.ndjson, the plain casts) is compared with the records by sallyport verify and verify.sh.',
    ),
    tags: step(
      'tags',
      'The manifest is the one that was listed',
      'The tag manifest has the digest of the manifest, so the digest of that one file stands for all others.',
      'It is what the gateway signs, in the next step.',
    ),
    attestation: step(
      'attestation',
      'The gateway signed the bundle as a whole',
      'The gateway’s Ed25519 signature is over the tag manifest, the question and the checkpoint. Transcripts, tables and the page are those that the gateway wrote.',
      'The key is the one in this bundle. Compare its fingerprint with one that you got another way.',
    ),
    approvals: step(
      'approvals',
      'Approvals and reviews are signed by people',
      'Every decision of a reviewer carries a signature of the reviewer’s own SSH key over the exact request. The gateway cannot make one.',
      'Whose key it is, the gateway’s configuration said. Ask the reviewer for the fingerprint. That nothing was done for which policy wants an approval without one is followed by sallyport verify.',
    ),
  };
}
