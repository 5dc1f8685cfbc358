import { element, replace } from '../../dom/element.ts';
import { compareCheckpoint } from '../../evidence/compare-checkpoint.ts';
import type { PageState } from '../interface/page-state.ts';

/** Where a reader holds an older checkpoint against the one in the bundle. */
export function checkpointForm(state: PageState): HTMLElement {
  const field = element('textarea', {
    id: 'held-checkpoint',
    rows: 5,
    spellcheck: 'false',
    autocomplete: 'off',
    placeholder: 'gateway-1/4f0c…\n1284\nk9Q2…=\n\n— gateway-1/4f0c… …',
  });
  const answer = element('div', { class: 'answer', role: 'status', 'aria-live': 'polite' });
  const compare = async () => {
    const { checkpoint, key, tiles } = state.verification;
    if (field.value.trim() === '') {
      replace(answer, element('p', {}, 'Paste a checkpoint first.'));
    } else if (checkpoint === undefined || key === undefined) {
      replace(
        answer,
        element(
          'p',
          {},
          state.verification.finished
            ? 'The bundle’s own checkpoint or key cannot be read.'
            : 'The verification has not come to the checkpoint yet.',
        ),
      );
    } else {
      const { state: verdict, heading, words } = await compareCheckpoint(field.value, checkpoint, key, tiles);
      const kind = { agrees: 'passed', contradicts: 'failed', 'cannot tell': 'limited' }[verdict];
      replace(answer, element('p', { class: `verdict ${kind}` }, element('strong', {}, heading), ` ${words}`));
    }
  };
  return element(
    'section',
    { class: 'checkpoint', 'aria-labelledby': 'checkpoint-heading' },
    element('h2', { id: 'checkpoint-heading' }, 'Compare with a checkpoint that you hold'),
    element(
      'p',
      {},
      'Everything in one file can be replaced together, key and all. A checkpoint that you noted earlier, or got from somebody else, cannot. Paste one: from an earlier bundle (data/ledger/checkpoint), from a colleague, or from the gateway’s ',
      element('code', {}, '/ledger/checkpoint'),
      '.',
    ),
    element('label', { for: 'held-checkpoint', class: 'hidden-label' }, 'Checkpoint'),
    field,
    element('div', { class: 'row' }, element('button', { type: 'button', on: { click: () => void compare() } }, 'Compare'), answer),
  );
}
