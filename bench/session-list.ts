import { ask, logIn, makeOperators } from '../test/operator-api/api-client.ts';
import { startGateway } from '../test/support/gateway.ts';
import { makeManySessions, principalOf, targetOf } from '../test/support/many-sessions.ts';
import { judged, report } from './support/measurement.ts';
import type { Row } from './support/row.ts';
import { quantile } from './support/statistics.ts';

const GOAL_FIRST = 30;
const GOAL_NEXT = 10;
const GOAL_FILTER = 100;
const PAGE = 200;

type Question = Readonly<Record<string, string | number>>;

const filters: readonly Question[] = [
  { principal: principalOf(1) },
  { target: targetOf(3) },
  { tag: 'env=production' },
  { flag: 'denied' },
  { flag: 'held' },
  { review: 'none' },
  { state: 'closed', protocol: 'ssh' },
  { onBehalfOf: 'engineer-3@example.com', flag: 'asked' },
  { flag: 'terminated', target: targetOf(3) },
];

/** How long a running gateway takes to answer what a table of very many sessions asks of it, over HTTPS. */
export const sessionList: Row = {
  row: 17,
  name: 'session-list',
  what: 'pages of 200 out of 100,000 sessions with their summaries, over HTTPS',
  async run(belongings, { quick, runs, say }) {
    const count = quick ? 5_000 : 100_000;
    const data = belongings.directory('many');
    const begun = performance.now();
    await makeManySessions(data, count);
    say(`${count} sessions made in ${Math.round((performance.now() - begun) / 1000)} s`);
    const { humans, keyOf } = await makeOperators(belongings.directory('operators'), { auditor: ['auditor'] });
    const targets = [
      { name: targetOf(3), kind: 'shell', shell: '/bin/sh', directory: '/', tags: { env: 'production' }, allow: ['nobody'] },
    ];
    const agents = [{ name: 'nobody', 'on-behalf-of': 'auditor', 'ssh-keys': [] }];
    const gateway = await startGateway(belongings, { data, https: true, configuration: { humans, agents, targets } });
    const token = await logIn(gateway, 'auditor', keyOf('auditor'));
    const timed = async (question: Question): Promise<{ millis: number; cursor: string | undefined; rows: number }> => {
      const asked = performance.now();
      const { status, text, body } = await ask(gateway, 'session.list', { limit: PAGE, detailed: true, ...question }, { token });
      if (status !== 200) throw new Error(`session.list: ${text}`);
      return {
        millis: performance.now() - asked,
        cursor: body.cursor as string | undefined,
        rows: (body.sessions as readonly unknown[]).length,
      };
    };
    const [first, next, anywhere, filtered, words]: [number[], number[], number[], number[], number[]] = [[], [], [], [], []];
    for (let run = 0; run <= runs; run += 1) {
      const times: [number[], number[], number[], number[]] = [[], [], [], []];
      let { cursor } = await timed({});
      for (let page = 0; page < 20 && cursor !== undefined; page += 1) {
        times[0].push((await timed({})).millis);
        const answer = await timed({ cursor });
        times[1].push(answer.millis);
        cursor = answer.cursor;
        times[2].push((await timed({ offset: Math.floor((count * page) / 20) })).millis);
      }
      for (const filter of filters) times[3].push((await timed(filter)).millis);
      const looked = (await timed({ text: '# 4321' })).millis;
      if (run === 0) continue; // Compiles what is hot.
      for (const [at, into] of [first, next, anywhere, filtered].entries()) into.push(quantile(times[at] ?? [], 0.95));
      words.push(looked);
      say(`run ${run} of ${runs}: first page ${first.at(-1)?.toFixed(1)} ms, next ${next.at(-1)?.toFixed(1)} ms (p95)`);
    }
    const explained = (name: string, values: number[], note: string) => report({ row: 17, name, unit: 'ms p95', values, note });
    const main = report({
      row: 17,
      name: 'session-list',
      unit: 'ms p95',
      values: first,
      note: `first of ${count}, with how many there are`,
    });
    const last = (values: readonly number[]) => quantile(values, 0.5);
    const met = last(first) <= GOAL_FIRST && last(next) <= GOAL_NEXT && last(filtered) <= GOAL_FILTER;
    return {
      main: judged(main, `≤ ${GOAL_FIRST} ms; next ≤ ${GOAL_NEXT} ms; with a filter ≤ ${GOAL_FILTER} ms`, met && !quick),
      extras: [
        explained('session-list, next page', next, 'by cursor'),
        explained('session-list, anywhere', anywhere, 'by offset, from the beginning to the end'),
        explained('session-list, filtered', filtered, `first pages of ${filters.length} questions`),
        explained('session-list, words', words, 'a word in one command: all commands are read'),
      ],
    };
  },
};
