import { type Facts, factsOf, numberOr, type ReadRecord, textOr } from '../data/record-facts.ts';
import { bytes, counted, span } from '../interface/format.ts';

/** A record in one sentence. A type that is not known is named as it stands: nothing is hidden. */
export function describeRecord({ type, body, target, actor }: ReadRecord): string {
  const channel = `channel ${numberOr(body.channel, 0)}`;
  switch (type) {
    case 'gateway.start':
      return `The gateway started, version ${textOr(body.version, '?')}`;
    case 'gateway.stop':
      return `The gateway stopped: ${textOr(body.reason, '')}`;
    case 'config.changed':
      return 'The configuration changed';
    case 'auth.refused':
      return `Login as ${textOr(body.user, '?')} refused: ${textOr(body.reason, '')}`;
    case 'session.refused':
      return `Session to ${textOr(body.requested, '?')} refused: ${textOr(body.reason, '')}`;
    case 'session.open':
      return `Session to ${textOr(target.name, '?')} opened, ${decided(body)}`;
    case 'session.close':
      return `Session ended after ${span(numberOr(body.duration, 0) / 1000)}: ${textOr(body.reason, '')}`;
    case 'session.recovered':
      return 'Session recovered: the gateway had ended before it did';
    case 'channel.open':
      return `Opened ${channel}, ${textOr(body.kind, '?')}${commandOf(body)}`;
    case 'channel.close':
      return `Closed ${channel}: ${textOr(body.reason, '')}${exitOf(body)}`;
    case 'segment.sealed':
      return `Sealed part ${numberOr(body.segment, 0)} of ${channel}, ${span(numberOr(body.from, 0) / 1e9)} to ${span(numberOr(body.to, 0) / 1e9)}, ${bytes(numberOr(body.bytes, 0))}`;
    case 'action.decided':
      return `${textOr(body.action, 'Action')} on ${channel} ${decided(body)}`;
    case 'action.finished':
      return `${textOr(body.action, 'Action')} on ${channel} finished${exitOf(body)}`;
    case 'storage.changed':
      return `Free space is ${textOr(body.state, '?')}: ${bytes(numberOr(body.free, 0))}`;
    case 'ledger.created':
      return `The ledger ${textOr(body.origin, '?')} began${numberOr(body.taken, 0) > 0 ? ` with ${counted(numberOr(body.taken, 0), 'older record')}` : ''}`;
    case 'key.rotated':
      return `The ledger’s key was changed${body.endorsed === true ? ', endorsed by the former one' : ''}`;
    case 'hold.set':
      return `Hold set: ${textOr(body.reason, '')}`;
    case 'hold.cleared':
      return `Hold cleared: ${textOr(body.reason, '')}`;
    case 'retention.run':
      return `Retention ran: ${counted(numberOr(body.expired, 0), 'session')} expired, ${numberOr(body.held, 0)} held`;
    case 'erased':
      return `Erased ${body.basis === 'request' ? 'on request' : 'at the end of its retention'}: ${textOr(body.reason, '')}`;
    case 'access.exported':
      return `${textOr(actor.principal, 'Somebody')} exported ${counted(numberOr(body.sessions, 0), 'session')} with ${counted(numberOr(body.records, 0), 'record')}`;
    default:
      return type;
  }
}

/** `allowed by policy “…”` */
function decided(body: Facts): string {
  const decision = factsOf(body.decision);
  const verdict = textOr(decision.verdict, '?');
  const words = { allow: 'allowed', deny: 'denied', ask: 'to be asked' }[verdict] ?? verdict;
  const policies = Array.isArray(decision.policies) ? decision.policies.filter((each) => typeof each === 'string') : [];
  return policies.length === 0 ? words : `${words} by ${policies.map((policy) => `“${policy}”`).join(', ')}`;
}

function commandOf(body: Facts): string {
  const command = factsOf(body.detail).command;
  return typeof command === 'string' ? `: ${command}` : '';
}

function exitOf(body: Facts): string {
  const exit = factsOf(body.exit);
  if (typeof exit.status === 'number') return `, exit status ${exit.status}`;
  return typeof exit.signal === 'string' ? `, signal ${exit.signal}` : '';
}
