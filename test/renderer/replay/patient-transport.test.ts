import { describe, expect, it } from 'vitest';
import type { HostTransport } from '../../../renderer/app/host/host.ts';
import { PatientTransport } from '../../../renderer/app/replay/patient-transport.ts';

/** Answers with what it is given, one after the other; a number is a status, `undefined` nobody. */
function answering(...answers: (number | undefined)[]) {
  const waits: (() => void)[] = [];
  const news: string[] = [];
  const transport: HostTransport = {
    request: () => {
      const status = answers.shift();
      return status === undefined ? Promise.reject(new TypeError('nobody')) : Promise.resolve({ status, text: () => Promise.resolve('') });
    },
    connect: () => ({ close: () => undefined }),
    after: (_, run) => {
      waits.push(run);
      return () => undefined;
    },
  };
  const patient = new PatientTransport(transport, {
    reach: (reached) => news.push(reached ? 'reached' : 'lost'),
    loggedOut: () => news.push('logged out'),
  });
  const waited = async () => {
    await settle();
    waits.shift()?.();
    await settle();
  };
  return { patient, news, waited, waiting: () => waits.length };
}

const settle = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};
const question = { method: 'GET', headers: {} } as const;

describe('a gateway that does not answer', () => {
  it('is waited for, and it is told when it is gone and when it is back', async () => {
    const { patient, news, waited } = answering(undefined, undefined, 200);
    const asked = patient.request('/api/x', question);
    await waited();
    await waited();
    expect((await asked).status).toBe(200);
    expect(news.filter((each, index) => each !== news[index - 1])).toEqual(['lost', 'reached']);
  });

  it('that is only busy for a moment is not worth a word', async () => {
    const { patient, news, waited } = answering(503, 200);
    const asked = patient.request('/api/x', question);
    await waited();
    expect((await asked).status).toBe(200);
    expect(news).toEqual(['reached']);
  });

  it('that refuses is believed at once', async () => {
    for (const status of [400, 403, 404, 409, 410, 500]) {
      const { patient, news } = answering(status);
      expect((await patient.request('/api/x', question)).status).toBe(status);
      expect(news).toEqual([]);
    }
  });

  it('is not asked on when the log-in has ended: what is missing then must not look damaged', async () => {
    const { patient, news, waiting } = answering(401);
    let answered = false;
    void patient.request('/api/x', question).then(() => {
      answered = true;
    });
    await settle();
    expect([answered, news, waiting()]).toEqual([false, ['logged out'], 0]);
  });

  it('is asked at once when somebody wants that, and never again when nobody looks any more', async () => {
    const { patient } = answering(undefined, undefined, undefined);
    const asked = patient.request('/api/x', question);
    await settle();
    patient.retry();
    await settle();
    patient.close();
    await expect(asked).rejects.toThrow('closed');
  });
});
