import { type Facts, factsOf, numberOr, type ReadRecord, textOr } from '../../evidence/record-facts.ts';
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
      return describeAccess(type, body, actor, channel);
  }
}

/** Records of consent, of who is known and of who looked. */
function describeAccess(type: string, body: Facts, actor: Facts, channel: string): string {
  const who = textOr(actor.principal, 'Somebody');
  switch (type) {
    case 'approval.asked': {
      const request = factsOf(body.request);
      const asked = `${textOr(request.principal, '?')} asked for ${textOr(request.action, '?')} at ${textOr(factsOf(request.target).name, '?')}`;
      return request.breakGlass === true
        ? `Emergency access: ${asked}, reviewed afterwards`
        : `Approval needed: ${asked}${saidOf(request.justification)}`;
    }
    case 'approval.decided':
      return `${who} ${body.verdict === 'approve' ? 'approved' : 'denied'} it, signed${saidOf(body.reason)}; the request is ${textOr(body.state, '?')}`;
    case 'approval.expired':
      return body.reason === 'deadline'
        ? 'The request for approval expired'
        : 'The request for approval ended when the gateway was started again';
    case 'approval.withdrawn':
      return `The request for approval was withdrawn${saidOf(body.reason)}`;
    case 'grant.used':
      return `What was approved began: ${textOr(body.action, '?')}`;
    case 'review.signed':
      return `${who} reviewed the emergency access and ${body.verdict === 'approve' ? 'found it justified' : 'objected'}, signed${saidOf(body.reason)}`;
    case 'review.noted':
      return `${who} put a note on ${channel}${saidOf(body.text)}`;
    case 'session.reviewed':
      return `${who} signed the session off ${body.verdict === 'fine' ? 'as fine' : 'with a concern'}${saidOf(body.reason)}`;
    case 'supervise.message':
      return `${who} wrote to the client${saidOf(body.text)}`;
    case 'supervise.pause':
      return `${who} paused the session${saidOf(body.reason)}`;
    case 'supervise.resume':
      return `${who} let the session go on${saidOf(body.reason)}`;
    case 'supervise.step':
      return `${who} ${body.on === true ? 'let each next action of the session ask' : 'let actions of the session pass again'}${saidOf(body.reason)}`;
    case 'supervise.terminate':
      return `${who} ended the session${saidOf(body.reason)}`;
    case 'principal.locked':
      return `${who} locked ${textOr(body.principal, '?')}${saidOf(body.reason)}`;
    case 'principal.unlocked':
      return `${who} unlocked ${textOr(body.principal, '?')}${saidOf(body.reason)}`;
    case 'policy.changed':
      return `The policy changed${numberOr(body.parts, 1) > 1 ? `, part ${numberOr(body.part, 1)} of ${numberOr(body.parts, 1)}` : ''}`;
    case 'identity.changed':
      return `${textOr(body.principal, '?')} is ${textOr(body.state, '?')} from here on`;
    case 'credential.issued':
      return `${credentialOf(body)} issued for ${textOr(body.principal, '?')}, good until ${textOr(body.validTo, '?')}`;
    case 'credential.revoked':
      return `${credentialOf(body)} revoked${saidOf(body.reason)}`;
    case 'operator.login':
      return `${who} logged in as an operator`;
    case 'operator.logout':
      return `${who} logged out`;
    case 'access.viewed':
      return `${who} ${{ watch: 'watched', play: 'played', transcript: 'read', details: 'looked at' }[textOr(body.how, '')] ?? 'looked at'} ${typeof body.channel === 'number' ? channel : 'the session'}`;
    case 'access.audited':
      return `${who} asked the question ${textOr(body.question, '?')} of an audit: ${counted(numberOr(body.rows, 0), 'row')}`;
    case 'access.searched':
      return `${who} searched the records: ${counted(numberOr(body.results, 0), 'result')}`;
    default:
      return type;
  }
}

/** Words that somebody gave, behind what they did. */
function saidOf(words: unknown): string {
  return typeof words === 'string' && words !== '' ? `: ${words}` : '';
}

function credentialOf(body: Facts): string {
  return body.credential === 'ssh-certificate' ? 'SSH certificate' : 'Operator token';
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
