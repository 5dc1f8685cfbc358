import { SPEEDS, type Speed } from '../../../contract/replay/play-clock.ts';
import type { Player } from '../../../contract/replay/player.ts';
import type { RecordingIndex } from '../../../contract/replay/recording-index.ts';
import { element, setText } from '../../dom/element.ts';
import { moment, span } from '../interface/format.ts';

export interface ControlActions {
  toggle: () => void;
  speed: (speed: Speed) => void;
  fold: () => void;
  mark: (by: -1 | 1) => void;
  input: (shown: boolean) => void;
}

/** Whole on hover, where there is no room for it. */
const KEYS = 'Space play · ← → 5 s · ⇧← ⇧→ marks · [ ] speed · , . step · Home End';

/** The buttons under the timeline. */
export function controls(player: Player, index: RecordingIndex, actions: ControlActions): { node: HTMLElement; update(): void } {
  const play = element('button', { type: 'button', class: 'play', on: { click: actions.toggle } });
  const position = element('span', { class: 'mono position' });
  const speed = element(
    'select',
    { 'aria-label': 'Speed', title: 'Speed ([ and ])' },
    ...SPEEDS.map((value) => element('option', { value }, `${value}×`)),
  );
  speed.addEventListener('change', () => {
    const chosen = SPEEDS.find((value) => String(value) === speed.value);
    if (chosen !== undefined) actions.speed(chosen);
  });
  const saved = index.duration - player.playTime.duration;
  const fold = element('button', {
    type: 'button',
    title: 'Fold time in which nothing happens (I)',
    'aria-pressed': 'true',
    on: { click: actions.fold },
  });
  const input = element('input', { type: 'checkbox' });
  input.addEventListener('change', () => actions.input(input.checked));
  const previous = element(
    'button',
    {
      type: 'button',
      class: 'icon',
      'aria-label': 'Previous mark',
      title: 'Previous mark (Shift ←)',
      on: { click: () => actions.mark(-1) },
    },
    '‹',
  );
  const next = element(
    'button',
    { type: 'button', class: 'icon', 'aria-label': 'Next mark', title: 'Next mark (Shift →)', on: { click: () => actions.mark(1) } },
    '›',
  );
  const node = element(
    'div',
    { class: 'controls' },
    play,
    position,
    previous,
    next,
    speed,
    saved > 0 ? fold : undefined,
    index.input
      ? element('label', { class: 'check', title: 'Show what was typed or sent, under the screen' }, input, 'Show input')
      : undefined,
    element('span', { class: 'keys muted', title: KEYS }, KEYS),
  );
  return {
    node,
    update: () => {
      const word = player.playing ? 'Pause' : 'Play';
      if (play.getAttribute('aria-label') !== word) {
        play.setAttribute('aria-label', word);
        play.title = `${word} (Space)`;
        setText(play, player.playing ? '❚❚' : '▶');
      }
      setText(position, `${moment(player.position, index.duration)} / ${moment(index.duration, index.duration)}`);
      if (speed.value !== String(player.speed)) speed.value = String(player.speed);
      fold.setAttribute('aria-pressed', String(player.folding));
      setText(fold, player.folding ? `Idle folded ${span(saved / 1e6)}` : 'Idle shown');
    },
  };
}
