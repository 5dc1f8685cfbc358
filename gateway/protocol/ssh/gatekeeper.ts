import type { Action, Decision } from '../../../contract/policy.ts';
import { asSallyportError, describeError, SallyportError } from '../../base/errors.ts';
import { say } from './channel-voice.ts';
import { MessageType, writeMessage } from './connection-messages.ts';
import { HeldMessages } from './held-messages.ts';
import type { RelayedChannel } from './relayed-channel.ts';
import type { SshRelay } from './ssh-relay.ts';

/** Like ssh itself for what went wrong on the way, as opposed to in the command. */
const EXIT_REFUSED = 255;

/** What happens once it is decided. Exactly one of them is called, in the order of the channel's messages. */
export interface Steps {
  proceed(): void;
  refuse(error: SallyportError): void;
}

/**
 * Has an action on a channel decided. Where a human has to consent, everything that the client says on this channel from
 * here on is held until they have; other channels go on.
 */
export function decideOn(
  relay: SshRelay,
  channel: RelayedChannel,
  action: Action,
  facts: Readonly<Record<string, unknown>>,
  steps: Steps,
): void {
  const { session } = relay;
  const decision = session.decide(action, facts, channel.number);
  const { verdict, policies, rule, reason } = decision;
  const decided = channel.event({ t: 'decision', action, verdict, policies: [...policies], ...(rule === undefined ? {} : { rule }) });
  relay.pass(channel, [decided], 0, () => undefined);
  if (verdict === 'allow') steps.proceed();
  else if (verdict === 'deny') steps.refuse(new SallyportError('ACTION_DENIED', reason));
  else hold(relay, channel, decision, action, facts, steps);
}

function hold(
  relay: SshRelay,
  channel: RelayedChannel,
  decision: Decision,
  action: Action,
  facts: Readonly<Record<string, unknown>>,
  steps: Steps,
): void {
  const { session } = relay;
  const held = new HeldMessages();
  channel.held = held;
  const note = (event: Record<string, unknown>, marker: string): void =>
    relay.pass(channel, [channel.event({ t: 'approval', action, ...event }, marker)], 0, () => undefined);
  // Where the client closed the channel meanwhile, or the session is over, there is nothing to go on with.
  const settle = (step: () => void): void => {
    if (channel.held !== held) return;
    channel.held = undefined;
    relay.resume(() => {
      step();
      relay.release(channel, held.take());
    });
  };
  session
    .consent(
      {
        decision,
        action,
        facts,
        channel: channel.number,
        signal: held.signal,
        ...(channel.justification === undefined ? {} : { justification: channel.justification }),
      },
      ({ request, whom, until }) => {
        note({ state: 'asked', approval: request.id, rule: request.rule }, `approval asked (${request.rule})`);
        say(relay, channel, `this ${wordsFor[action]} waits for approval by ${whom}, until ${until} (request ${request.id})`);
      },
    )
    .then(
      ({ approval, reviewers }) =>
        settle(() => {
          note(
            { state: 'approved', approval, by: [...reviewers] },
            reviewers.length === 0 ? 'approved' : `approved by ${reviewers.join(', ')}`,
          );
          if (reviewers.length > 0) say(relay, channel, `approved by ${reviewers.join(', ')}`);
          steps.proceed();
        }),
      (thrown: unknown) => {
        const error = asSallyportError(thrown);
        settle(() => {
          note({ state: 'refused', code: error.code }, error.message);
          steps.refuse(error);
        });
      },
    );
}

/**
 * The same of what is no channel yet: a forward, in whichever direction, and a connection that comes through one. There is
 * nothing to hold and no order to keep, for whoever wants to open it waits for the answer.
 */
export function decideApart(relay: SshRelay, action: Action, facts: Readonly<Record<string, string>>, steps: Steps): void {
  const { session, channels, limits } = relay;
  const decision = session.decide(action, facts, session.channelsOpened);
  if (decision.verdict === 'allow') return steps.proceed();
  if (decision.verdict === 'deny') return steps.refuse(new SallyportError('ACTION_DENIED', decision.reason));
  if (relay.deferred + channels.size >= limits.channelsPerSession)
    return steps.refuse(new SallyportError('TOO_MANY_SESSIONS', 'too many channels wait for approval already'));
  relay.deferred += 1;
  const settle = (step: () => void): void => {
    relay.deferred -= 1;
    relay.resume(step);
  };
  const consented = session.consent({ decision, action, facts, channel: session.channelsOpened }, ({ whom, until, request }) => {
    const what = facts.to ?? facts.listen ?? facts.from ?? '';
    const text = `${wordsFor[action]} ${what} waits for approval by ${whom}, until ${until} (request ${request.id})`;
    for (const channel of channels.all()) if (channel.started !== undefined) say(relay, channel, text);
  });
  consented.then(
    () => settle(() => steps.proceed()),
    (error: unknown) => settle(() => steps.refuse(asSallyportError(error))),
  );
}

const wordsFor: { readonly [A in Action]: string } = {
  connect: 'connection',
  'ssh:shell': 'shell',
  'ssh:exec': 'command',
  'ssh:subsystem': 'subsystem',
  'ssh:read-file': 'reading of a file',
  'ssh:write-file': 'change of a file',
  'ssh:forward': 'forwarding',
  'ssh:agent-forward': 'forwarding of the agent',
  'ssh:input': 'line',
};

/**
 * Ends a channel towards both sides because what was to happen on it may not: the client is told in its own terminal and
 * with an exit status, the target that the channel is closed. Other channels go on.
 */
export function cutOff(relay: SshRelay, channel: RelayedChannel, error: SallyportError, wantReply: boolean): void {
  const { clientId, targetId } = channel;
  if (channel.cut || clientId === undefined || targetId === undefined) return;
  if (!channel.closedBy.target) {
    // A client that is told of a failure looks at nothing that follows: the line is what it has to see.
    if (wantReply) channel.replies.answered(writeMessage(MessageType.CHANNEL_SUCCESS, clientId));
    say(relay, channel, `${error.code}: ${describeError(error)}`);
    const exit = writeMessage(MessageType.CHANNEL_REQUEST, clientId, 'exit-status', false, EXIT_REFUSED);
    relay.pass(channel, [{ kind: 'exit', at: channel.recording.now(), status: EXIT_REFUSED }], 0, () => {
      relay.client.send(exit);
      relay.client.send(writeMessage(MessageType.CHANNEL_EOF, clientId));
      relay.client.send(writeMessage(MessageType.CHANNEL_CLOSE, clientId));
    });
    channel.exit = { status: EXIT_REFUSED };
  }
  channel.cut = true;
  if (!channel.closedBy.client) relay.follow(() => relay.target.send(writeMessage(MessageType.CHANNEL_CLOSE, targetId)));
}
