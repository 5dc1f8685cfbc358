import { useEffect, useMemo, useState } from 'react';
import type { Approval } from '../../../contract/operator-api.ts';
import { isWhatItSays, shownText, webSha256 } from './check-request.ts';

export interface Checked {
  /** `wrong`: the digest is of something else than what is shown. */
  readonly digest: 'checking' | 'right' | 'wrong';
  /** What the reviewer was shown at first, or after they said that they have read it again. */
  readonly shown: string;
  readonly changed: boolean;
  readonly readAgain: () => void;
}

/** Looks whether a request is what it says, and whether it stays what it was when it was first shown. */
export function useChecked(approval: Approval): Checked {
  const now = useMemo(() => shownText(approval), [approval]);
  const [shown, setShown] = useState(now);
  const [digest, setDigest] = useState<{ of: string; right: boolean }>();
  useEffect(() => {
    let gone = false;
    void isWhatItSays(approval, webSha256).then((right) => {
      if (!gone) setDigest({ of: now, right });
    });
    return () => {
      gone = true;
    };
  }, [approval, now]);
  return {
    digest: digest === undefined || digest.of !== now ? 'checking' : digest.right ? 'right' : 'wrong',
    shown,
    changed: shown !== now,
    readAgain: () => setShown(now),
  };
}
