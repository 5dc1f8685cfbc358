import { useEffect, useState } from 'react';
import type { Tone } from '../../design/labels.tsx';
import { type SignatureState, type Signed, verifySignature } from './verify-signature.ts';

const told: Readonly<Record<SignatureState | 'checking', { words: string; tone: Tone; title: string }>> = {
  checking: { words: 'checking its signature…', tone: 'plain', title: '' },
  good: { words: '✓ signature good', tone: 'ok', title: 'This device has checked that the key signed exactly this' },
  bad: { words: '✗ signature bad', tone: 'deny', title: 'The key did not sign this' },
  unchecked: {
    words: 'signature not checked here',
    tone: 'plain',
    title: 'This device cannot check signatures of such a key. The gateway did when it took it; sallyport verify does it anywhere',
  },
};

/** What is to be said of a signature, checked on this device. */
export function useSignatureState(signed: Signed): { words: string; tone: Tone; title: string } {
  const [state, setState] = useState<SignatureState | 'checking'>('checking');
  const same = JSON.stringify(signed);
  useEffect(() => {
    let current = true;
    const tell = (found: SignatureState) => {
      if (current) setState(found);
    };
    verifySignature(JSON.parse(same) as Signed).then(tell, () => tell('bad'));
    return () => {
      current = false;
    };
  }, [same]);
  return told[state];
}
