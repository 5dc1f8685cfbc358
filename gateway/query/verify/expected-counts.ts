import type { AuditRecord } from '../../../contract/record.ts';

/** What the list of sessions says of one besides, and what people choose sessions by. */
export interface SessionCounts {
  actions: number;
  asked: number;
  denied: number;
  breakGlass: number;
  supervised: number;
  terminated: number;
  hidden: number;
  review: string | null;
}

/** Works it out from the session's records alone, in their order. */
export class ExpectedCounts {
  readonly counts: SessionCounts = {
    actions: 0,
    asked: 0,
    denied: 0,
    breakGlass: 0,
    supervised: 0,
    terminated: 0,
    hidden: 0,
    review: null,
  };
  #opened = false;

  take(record: AuditRecord): void {
    const { counts } = this;
    if (record.type === 'approval.asked') {
      // Also of the connection, before there is a session.
      if (record.body.request.breakGlass) counts.breakGlass = 1;
    } else if (record.type === 'session.open') {
      if (!this.#opened) counts.asked += Number(record.body.decision.verdict === 'ask');
      this.#opened = true;
    } else if (this.#opened) {
      this.#count(record);
    }
  }

  #count(record: AuditRecord): void {
    const { counts } = this;
    switch (record.type) {
      case 'action.decided':
        counts.actions += 1;
        counts.asked += Number(record.body.decision.verdict === 'ask');
        counts.denied += Number(record.body.decision.verdict === 'deny');
        break;
      case 'approval.decided':
        counts.denied += Number(record.body.state === 'denied');
        break;
      case 'approval.expired':
        counts.denied += 1;
        break;
      case 'segment.sealed':
        counts.hidden += record.body.redacted ?? 0;
        break;
      case 'supervise.terminate':
        counts.terminated = 1;
        counts.supervised = 1;
        break;
      case 'supervise.message':
      case 'supervise.pause':
      case 'supervise.resume':
      case 'supervise.step':
        counts.supervised = 1;
        break;
      case 'session.reviewed':
        counts.review = record.body.verdict;
        break;
      default:
        break;
    }
  }
}
