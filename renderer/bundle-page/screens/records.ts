import type { BundlePageSession } from '../../../contract/bundle-page.ts';
import { element, replace, setText } from '../../dom/element.ts';
import { DataFault } from '../../evidence/data-fault.ts';
import { type ReadRecord, readRecord } from '../../evidence/record-facts.ts';
import { counted, grouped, instant } from '../interface/format.ts';
import type { PageState, Screen } from '../interface/page-state.ts';
import { printable } from '../interface/printable.ts';
import { VirtualRows } from '../interface/virtual-rows.ts';
import { describeRecord } from './describe-record.ts';
import { proofWords, recordDetail } from './record-detail.ts';
import { sessionHead } from './session-head.ts';

interface Place {
  index: number;
  script: string;
}

/** The records of one session, or, without one, those that belong to no session. */
export function recordsScreen(state: PageState, session: BundlePageSession | undefined, wanted: number | undefined): Screen {
  const read = new Map<number, ReadRecord | string>();
  let places: readonly Place[] = [];
  let gone = false;
  const detail = element('div', { class: 'record-detail', 'aria-live': 'polite' });
  const howMany = element('span', { class: 'muted', role: 'status' });
  const empty = element('div', { class: 'empty' }, element('p', { class: 'muted' }, 'Reading the records'));

  const rows = new VirtualRows({
    label: 'Records',
    class: 'record-rows',
    rowHeight: 30,
    render: (at) => row(places[at]),
    activate: (at) => show(at),
    selected: (at) => show(at),
  });

  const show = (at: number) => {
    const place = places[at];
    const record = place === undefined ? undefined : read.get(place.index);
    if (typeof record === 'object') replace(detail, ...recordDetail(state, record));
    else if (typeof record === 'string') replace(detail, element('p', {}, printable(record)));
    else replace(detail);
  };

  /** Draws what is known of a record, and fetches what is not. */
  const row = (place: Place | undefined): HTMLElement => {
    if (place === undefined) return element('div');
    const record = read.get(place.index);
    if (record === undefined) void fetchScript(place.script);
    const proof = proofWords[state.verification.proofOf(place.index)];
    return element(
      'div',
      { class: 'record' },
      element('span', { class: 'mono muted right' }, grouped(place.index)),
      element('span', { class: 'mono muted' }, typeof record === 'object' ? instant(printable(record.time)) : ''),
      element('span', { class: 'mono cut' }, typeof record === 'object' ? printable(record.type) : ''),
      element('span', { class: 'cut' }, typeof record === 'object' ? printable(describeRecord(record)) : (record ?? '')),
      element('span', { class: `evidence ${proof.kind}` }, `${proof.sign} ${proof.word}`),
    );
  };

  const fetching = new Set<string>();
  const fetchScript = async (script: string) => {
    if (fetching.has(script)) return;
    fetching.add(script);
    const mine = new Set(places.filter((place) => place.script === script).map(({ index }) => index));
    try {
      for (const { index, text } of await state.data.records(script)) {
        if (mine.has(index)) read.set(index, readRecord(index, text) ?? 'This record cannot be read.');
      }
    } catch (thrown) {
      if (!(thrown instanceof DataFault)) throw thrown;
      for (const index of mine) read.set(index, thrown.message);
    }
    if (gone) return;
    rows.refresh();
    show(rows.current);
  };

  void state.verification.recordsRead.then(() => {
    if (gone) return;
    places = session === undefined ? state.verification.loose : (state.verification.sessions.get(session.id)?.records ?? []);
    setText(howMany, counted(places.length, 'record'));
    empty.hidden = places.length > 0;
    split.hidden = places.length === 0;
    if (places.length === 0) {
      replace(
        empty,
        element('h2', {}, 'No records'),
        element(
          'p',
          {},
          session === undefined
            ? 'Every record of this bundle belongs to a session.'
            : 'The bundle has no readable record of this session; the verification on the overview says why.',
        ),
      );
      return;
    }
    rows.setCount(places.length);
    // Only now is it in the document; a reader who has gone on meanwhile is left alone.
    if (document.activeElement === document.body) rows.node.focus({ preventScroll: true });
    const at = places.findIndex(({ index }) => index === wanted);
    if (at > 0) rows.select(at, { reveal: true, centre: true });
    show(rows.current);
  });
  const stop = state.watch(() => {
    rows.refresh();
    if (state.verification.finished) show(rows.current);
  });

  const split = element(
    'div',
    { class: 'split records-split', hidden: true },
    element('div', { class: 'table records' }, recordHead(), rows.node),
    element('aside', { class: 'side' }, detail),
  );
  const head =
    session === undefined
      ? element(
          'div',
          { class: 'toolbar' },
          element('h1', {}, 'Records outside any session'),
          howMany,
          element('span', { class: 'muted' }, 'The gateway’s own, refusals, holds, erasures and exports in the range of the question'),
        )
      : sessionHead(state, session, 'records');
  return {
    node: element('div', { class: 'screen' }, head, split, empty),
    title: session === undefined ? 'Records' : `Records of ${session.principal} at ${session.target}`,
    dispose: () => {
      gone = true;
      stop();
      rows.dispose();
    },
  };
}

function recordHead(): HTMLElement {
  return element(
    'div',
    { class: 'head record' },
    ...['Index', 'Time, UTC', 'Type', 'What', 'Proof'].map((title, at) => element('span', { class: at === 0 ? 'right' : '' }, title)),
  );
}
