import type { OperationOutput } from '../../contract/operator-api.ts';
import type { AuditRecord } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';
import type { Database } from '../store/database.ts';
import type { Performers } from './operations.ts';

export interface PolicyTextParts {
  readonly reading: () => Promise<Database>;
  readonly policySet: () => string;
}

export function policyTextOperations(parts: PolicyTextParts): Pick<Performers, 'policy.text'> {
  return { 'policy.text': ({ policySet }) => policyText(policySet, parts) };
}

/** As it was recorded when it came into force last. A long text is in several records, one behind the other. */
async function policyText(policySet: string, { reading, policySet: current }: PolicyTextParts): Promise<OperationOutput<'policy.text'>> {
  const rows = await (await reading()).records.ofPolicy(policySet);
  const parts = rows.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString('utf8')) as AuditRecord<'policy.changed'>);
  const last = parts.findLastIndex(({ body: { part, parts: all } }) => part === all);
  const whole = parts.slice(Math.max(0, last + 1 - (parts[last]?.body.parts ?? 0)), last + 1);
  const [first] = whole;
  if (first === undefined || !whole.every(({ body }, index) => body.part === index + 1 && body.parts === whole.length))
    throw new SallyportError('NOT_FOUND', `no record has the text of a policy set ${policySet}`, {
      remedy: 'gateway.status tells the one in force, and decisions on record the one they rest on',
    });
  return {
    policySet,
    source: first.body.source,
    text: whole.map(({ body }) => body.text).join(''),
    since: whole.at(-1)?.time ?? first.time,
    current: policySet === current(),
  };
}
