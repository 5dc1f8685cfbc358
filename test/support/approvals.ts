import type { ApprovalRule } from '../../gateway/approval/approval-rule.ts';
import { type ApprovalParts, Approvals } from '../../gateway/approval/approvals.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { createLog } from '../../gateway/base/log.ts';
import { fingerprintOf } from '../../gateway/identity/ssh-public-key.ts';
import { verifySshSignature } from '../../gateway/ledger/ssh-signature.ts';

/** What a test of approvals says of its world; the rest is as in a gateway, without reviewers and rules unless given. */
export interface ApprovalWorld extends Partial<Omit<ApprovalParts, 'append' | 'rule' | 'verify'>>, Pick<ApprovalParts, 'append'> {
  readonly rules?: readonly ApprovalRule[];
}

export function approvalsIn({ rules = [], ...parts }: ApprovalWorld): Approvals {
  return new Approvals({
    clock: systemClock,
    log: createLog('silent'),
    origin: 'test.example/log',
    sign: () => Promise.resolve(),
    reviewers: () => [],
    reviewer: (name) => [...(parts.reviewers?.() ?? [])].find((each) => each.name === name),
    ...parts,
    rule: (name) => rules.find((rule) => rule.name === name),
    verify: (signature, text, namespace) => {
      const { blob, line } = verifySshSignature(signature, Buffer.from(text, 'utf8'), namespace);
      return { line, fingerprint: fingerprintOf(blob) };
    },
  });
}
