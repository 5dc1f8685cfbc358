import type { BundlePageChannel, BundlePageSession } from '../../../contract/bundle-page.ts';
import { element, replace } from '../../dom/element.ts';
import { wordsOf } from '../../evidence/data-fault.ts';
import { textOr } from '../../evidence/record-facts.ts';
import { instant } from '../interface/format.ts';
import type { PageState, Screen } from '../interface/page-state.ts';
import { printable } from '../interface/printable.ts';
import { address, type Route } from '../interface/route.ts';
import { ChannelReplay } from '../replay/channel-replay.ts';
import { detailsPanel } from '../replay/details-panel.ts';
import { sessionHead } from './session-head.ts';
import { tabs } from './tabs.ts';

export function replayScreen(state: PageState, session: BundlePageSession, route: Extract<Route, { screen: 'replay' }>): Screen {
  const channel = session.recordings.find((each) => each.channel === route.channel) ?? session.recordings[0];
  const stage = element('div', { class: 'replay-stage' });
  const transcript = element('div', { class: 'panel', id: 'panel-transcript' });
  const details = detailsPanel(state, session, channel);
  details.node.id = 'panel-details';
  let replay: ChannelReplay | undefined;
  let gone = false;

  const open = async (chosen: BundlePageChannel) => {
    const progress = element('p', { class: 'muted' }, 'Reading the recording');
    replace(stage, element('div', { class: 'empty' }, progress));
    replace(transcript, element('p', { class: 'muted pad' }, 'The transcript is made from the recording.'));
    try {
      const opened = await ChannelReplay.open(state, session, chosen, (done) => {
        progress.textContent = `Reading the recording, ${Math.floor(done * 100)} %`;
      });
      if (gone) {
        opened.dispose();
        return;
      }
      replay = opened;
      replace(stage, opened.node);
      replace(transcript, opened.transcript.node);
      opened.begin(route.at);
    } catch (thrown) {
      replace(
        stage,
        element(
          'div',
          { class: 'empty' },
          element('h2', {}, 'This recording cannot be played'),
          element('p', {}, printable(wordsOf(thrown))),
        ),
      );
    }
  };

  const side = tabs('About this recording', [
    { id: 'transcript', title: 'Transcript', panel: transcript },
    { id: 'details', title: 'Details', panel: details.node },
  ]);
  const node = element(
    'div',
    { class: 'screen replay' },
    sessionHead(state, session, 'replay'),
    session.recordings.length > 1 && channelBar(session, channel),
    element('div', { class: 'split' }, stage, element('aside', { class: 'side' }, side)),
  );
  if (channel === undefined || channel.segments.length === 0) replace(stage, nothingToPlay(state, session));

  return {
    node,
    title: `${session.principal || 'Erased session'} at ${session.target}`,
    shown: () => {
      if (channel !== undefined && channel.segments.length > 0) void open(channel);
    },
    follow: (next) => {
      if (next.screen !== 'replay' || next.session !== session.id || (next.channel ?? channel?.channel) !== channel?.channel) return false;
      if (next.at !== undefined) replay?.seek(next.at * 1e6);
      return true;
    },
    key: (event) => replay?.key(event) ?? false,
    dispose: () => {
      gone = true;
      replay?.dispose();
      details.dispose();
    },
  };
}

function channelBar(session: BundlePageSession, current: BundlePageChannel | undefined): HTMLElement {
  return element(
    'nav',
    { class: 'channels', 'aria-label': 'Channels of this session' },
    ...session.recordings.map(({ channel, kind, command, segments }) =>
      element(
        'a',
        { href: address.replay(session.id, channel), 'aria-current': channel === current?.channel ? 'page' : undefined },
        element('span', { class: 'faint' }, `${channel} `),
        printable(kind),
        command !== null && element('span', { class: 'mono muted' }, ` ${printable(command)}`),
        segments.some(({ damage }) => damage !== null) && element('span', { class: 'flag damage' }, 'damaged'),
      ),
    ),
  );
}

function nothingToPlay(state: PageState, session: BundlePageSession): HTMLElement {
  const box = element('div', { class: 'empty' }, element('p', { class: 'muted' }, 'Reading the records'));
  void state.verification.recordsRead.then(() => {
    const erased = state.verification.sessions.get(session.id)?.erased.at(-1);
    if (erased !== undefined) {
      const basis = erased.body.basis === 'request' ? 'on request' : 'at the end of its retention';
      replace(
        box,
        element('h2', {}, 'This session was erased'),
        element(
          'p',
          {},
          `Its content was erased ${basis} on ${instant(erased.time)} UTC by ${printable(textOr(erased.actor.principal, 'an operator'))}: ${printable(textOr(erased.body.reason, ''))}`,
        ),
        element(
          'p',
          { class: 'muted' },
          'The ledger still has the hash of every record that was erased, so that it can be proved that they existed and that none was exchanged.',
        ),
      );
    } else if (session.recordings.length === 0) {
      replace(box, element('h2', {}, 'Nothing to play'), element('p', {}, 'No channel was opened in this session.'));
    } else {
      const still =
        session.state === 'live' ? ' It still ran when the bundle was written; what it had recorded by then was not sealed yet.' : '';
      replace(box, element('h2', {}, 'Nothing to play'), element('p', {}, `Nothing was recorded in this channel.${still}`));
    }
  });
  return box;
}
