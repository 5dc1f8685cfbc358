import type { Action, ActionRequest } from '../contract/policy.ts';
import { type CedarPolicies, readPolicies } from '../gateway/policy/cedar/read-policies.ts';
import { cedarPolicy } from '../gateway/policy/cedar-policy.ts';
import { judged, report } from './support/measurement.ts';
import type { Row } from './support/row.ts';
import { median, quantile } from './support/statistics.ts';

const goalMicros = 200;
const teams = 20;

/** Row 16: deciding, with 200 principals, 200 targets and 200 policies. */
export const policy: Row = {
  row: 16,
  name: 'policy',
  what: 'one decision among 200 policies, for 200 principals at 200 targets',
  async run(_belongings, { quick, runs, say }) {
    const count = quick ? 2_000 : 20_000;
    const requests = requestsOf(count);
    const [medians, tails, loads, menus]: [number[], number[], number[], number[]] = [[], [], [], []];
    const ofAction = new Map<Action, number[]>(kinds.map(([action]) => [action, []]));
    for (let run = 0; run <= runs; run += 1) {
      const beganToLoad = performance.now();
      // Each run reads another file, so that nothing is held ready from the one before.
      const policies = await read(`// run ${run}\n${policyFile()}`);
      const decides = await cedarPolicy(policies, { humans: new Map(humans), targets, breakGlass: new Set() });
      const loaded = performance.now() - beganToLoad;
      const micros: number[] = [];
      for (const request of requests) {
        const began = performance.now();
        decides.decide(request);
        const took = (performance.now() - began) * 1000;
        micros.push(took);
        if (run > 0) ofAction.get(request.action)?.push(took);
      }
      const beganMenu = performance.now();
      await decides.visibleTargets(principals[0] as ActionRequest['principal'], circumstances);
      if (run === 0) continue; // Compiles what is hot.
      medians.push(median(micros));
      tails.push(quantile(micros, 0.99));
      loads.push(loaded);
      menus.push(performance.now() - beganMenu);
      say(`run ${run} of ${runs}: median ${median(micros).toFixed(0)} µs, p99 ${quantile(micros, 0.99).toFixed(0)} µs`);
    }
    const main = report({ row: 16, name: 'policy', unit: 'µs', values: medians, note: `medians of ${count} decisions, facts parsed` });
    return {
      main: judged(main, `≤ ${goalMicros} µs`, median(medians) <= goalMicros),
      extras: [
        report({ row: 16, name: 'policy p99', unit: 'µs', values: tails }),
        ...[...ofAction].map(([action, values]) => report({ row: 16, name: `policy ${action}`, unit: 'µs', values: [median(values)] })),
        report({ row: 16, name: 'policy load', unit: 'ms', values: loads, note: 'reading, checking against the schema, in pieces' }),
        report({ row: 16, name: 'policy menu', unit: 'ms', values: menus, note: 'which of 200 targets somebody may reach' }),
      ],
    };
  },
};

async function read(text: string): Promise<CedarPolicies> {
  const reading = await readPolicies(text);
  if ('policies' in reading) return reading.policies;
  throw new Error(`the policies of the benchmark have a fault: ${reading.faults[0]?.problem}`);
}

const humans = Array.from({ length: teams }, (_, team): [string, { groups: string[] }] => [`human-${team}`, { groups: [`team-${team}`] }]);
const principals = Array.from({ length: 200 }, (_, index): ActionRequest['principal'] => {
  const team = index % teams;
  return index < teams
    ? { name: `human-${team}`, kind: 'human', groups: [`team-${team}`] }
    : { name: `agent-${index}`, kind: 'agent', onBehalfOf: `human-${team}`, groups: [`bots-${team}`, 'bots'] };
});
const targets = Array.from({ length: 200 }, (_, index) => ({
  name: `target-${index}`,
  kind: 'ssh',
  tags: { env: index % 2 === 0 ? 'prod' : 'dev', team: `team-${index % teams}` },
}));
const circumstances = {
  time: Date.parse('2026-03-04T10:30:00Z') * 1000,
  source: '10.1.2.3:50000',
  authentication: 'publickey',
  sessionAge: 60,
};

const kinds: [Action, ActionRequest['facts']][] = [
  ['connect', {}],
  ['ssh:exec', { command: 'cat /srv/app/log | tail -n 20', terminal: false }],
  ['ssh:exec', { command: 'deploy "v1.2.3" && rm -rf /tmp/old', terminal: false }],
  ['ssh:write-file', { operation: 'open', path: '/srv/team-3/app.js', flags: ['write', 'create'] }],
];

/** Eight policies for each of twenty teams, and forty that are about everybody. */
function policyFile(): string {
  const ofTeam = Array.from({ length: teams }, (_, team) => {
    const own = `resource.hasTag("team") && resource.getTag("team") == "team-${team}"`;
    const exec = 'action == Action::"ssh:exec"';
    return `
@id("people-${team}") permit(principal in Group::"team-${team}", action in [Action::"connect", Action::"ssh"], resource) when { ${own} };
@id("bots-${team}") permit(principal in Group::"bots-${team}", action == Action::"connect", resource in Env::"dev") when { ${own} };
@id("bots-prod-${team}") @approval("prod") permit(principal in Group::"bots-${team}", action == Action::"connect", resource in Env::"prod") when { ${own} };
@id("look-${team}") permit(principal in Group::"bots-${team}", ${exec}, resource) when { !context.opaque && ["ls", "cat", "tail"].containsAll(context.programs) && ${own} };
@id("deploy-${team}") permit(principal in Group::"bots-${team}", ${exec}, resource in Env::"dev") when { !context.opaque && context.program == "deploy" && ${own} };
@id("ask-${team}") @approval("prod") permit(principal in Group::"bots-${team}", ${exec}, resource in Env::"prod") when { ${own} };
@id("read-${team}") permit(principal in Group::"bots-${team}", action == Action::"ssh:read-file", resource) when { ${own} };
@id("write-${team}") permit(principal in Group::"bots-${team}", action == Action::"ssh:write-file", resource) when { !context.opaque && context.path like "/srv/team-${team}/*" && ${own} };`;
  });
  const ofAll = Array.from(
    { length: 20 },
    (_, index) => `
@id("never-${index}") forbid(principal is Agent, action == Action::"ssh:exec", resource) when { context.opaque && context.programs.contains("tool-${index}") };
@id("office-${index}") forbid(principal is Agent, action == Action::"connect", resource in Env::"prod") when { context.hour == ${index % 6} || !context.source.isInRange(ip("10.0.0.0/8")) };`,
  );
  return [...ofTeam, ...ofAll].join('');
}

function requestsOf(count: number): ActionRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const [action, facts] = kinds[index % kinds.length] as [Action, ActionRequest['facts']];
    // Every principal meets every target sooner or later.
    const principal = principals[Math.floor(index / 3) % principals.length] as ActionRequest['principal'];
    const target = targets[(index * 7 + Math.floor(index / 200)) % targets.length] as (typeof targets)[number];
    return { principal, target, action, facts, circumstances };
  });
}
