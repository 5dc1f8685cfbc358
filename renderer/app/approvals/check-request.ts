import { type ApprovalRequest, boundText } from '../../../contract/approval.ts';
import { canonicalText } from '../../../contract/canonical.ts';
import type { Approval } from '../../../contract/operator-api.ts';

/** SHA-256 of UTF-8, in hexadecimal. */
export type Sha256 = (text: string) => Promise<string>;

export async function webSha256(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The request without members that are not there, as its digest and its signature are made of it. */
export function requestOf({
  request: { onBehalfOf, channel, justification, target, ...rest },
}: Pick<Approval, 'request'>): ApprovalRequest {
  return {
    ...rest,
    target: { name: target.name, kind: target.kind, ...(target.address === undefined ? {} : { address: target.address }) },
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(channel === undefined ? {} : { channel }),
    ...(justification === undefined ? {} : { justification }),
  };
}

/** Whether the digest that an approval is bound to is of what is shown. A gateway that lies about it gets no signature. */
export async function isWhatItSays(approval: Pick<Approval, 'request'>, sha256: Sha256): Promise<boolean> {
  const request = requestOf(approval);
  return (await sha256(boundText(request))) === request.digest;
}

/** The whole of what was shown, to be compared with what is there later. */
export function shownText(approval: Pick<Approval, 'request' | 'origin'>): string {
  return canonicalText({ origin: approval.origin, request: requestOf(approval) });
}
