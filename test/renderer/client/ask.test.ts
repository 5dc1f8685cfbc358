import { describe, expect, it } from 'vitest';
import { ask, requestOf } from '../../../renderer/app/client/ask.ts';
import { Problem } from '../../../renderer/app/client/problem.ts';
import type { HostTransport } from '../../../renderer/app/host/host.ts';

const session = '01a2150d-f412-788b-98a6-041bcbadffe8';

describe('a request', () => {
  it('puts each member where the table says', () => {
    expect(requestOf('session.show', { session })).toEqual({ path: `/api/sessions/${session}`, method: 'GET' });
    expect(requestOf('session.list', { limit: 5, text: 'a b&c', target: undefined })).toEqual({
      path: '/api/sessions?limit=5&text=a+b%26c',
      method: 'GET',
    });
    expect(requestOf('session.pause', { session, reason: 'look' })).toEqual({
      path: `/api/sessions/${session}/pause`,
      method: 'POST',
      body: '{"reason":"look"}',
    });
  });

  it('lets no member leave its place in the path', () => {
    expect(requestOf('session.show', { session: '../operators?x=1#y' }).path).toBe('/api/sessions/..%2Foperators%3Fx%3D1%23y');
  });

  it('is not made for what is no operation over HTTPS', () => {
    expect(() => requestOf('ledger.sign', {})).toThrow(TypeError);
  });
});

function answering(status: number, text: string): HostTransport {
  return {
    request: () => Promise.resolve({ status, text: () => Promise.resolve(text) }),
    connect: () => ({ close: () => undefined }),
    after: () => () => undefined,
  };
}

describe('an answer', () => {
  it('is a problem with the words and the code of the gateway', async () => {
    const text = JSON.stringify({ status: 403, code: 'ROLE_MISSING', detail: 'this takes another role', remedy: 'ask for it' });
    await expect(ask(answering(403, text), 'lock.list', {})).rejects.toMatchObject({
      status: 403,
      code: 'ROLE_MISSING',
      message: 'this takes another role',
      remedy: 'ask for it',
    });
  });

  it('is refused when it is not what the table promises', async () => {
    await expect(ask(answering(200, '{"locks":[{"principal":1}]}'), 'lock.list', {})).rejects.toThrow(/locks\.0/);
    await expect(ask(answering(200, '<html>'), 'lock.list', {})).rejects.toBeInstanceOf(Problem);
  });

  it('of somebody else than a gateway is told by its status', async () => {
    await expect(ask(answering(502, '<html>'), 'lock.list', {})).rejects.toMatchObject({ status: 502, message: /502/ });
  });

  it('that does not come says that the gateway does not answer', async () => {
    const silent: HostTransport = { ...answering(0, ''), request: () => Promise.reject(new TypeError('Failed to fetch')) };
    await expect(ask(silent, 'lock.list', {})).rejects.toMatchObject({ status: 0, code: 'GATEWAY_UNREACHABLE' });
  });
});
