import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Approval } from '../../contract/operator-api.ts';
import { type MenuItem, menuModel, type Platform } from '../../electron/look/menu-model.ts';
import { trayModel } from '../../electron/look/tray-model.ts';
import { openWindowState, placeWindow, SMALLEST } from '../../electron/look/window-state.ts';
import { noticeFor } from '../../electron/watch/notices.ts';
import { request } from '../support/approval-records.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

describe('where the window opens', () => {
  const screen = { x: 0, y: 25, width: 1920, height: 1055 };
  const second = { x: 1920, y: 0, width: 2560, height: 1440 };

  it('is where it was, on whichever screen', () => {
    for (const bounds of [
      { x: 100, y: 100, width: 1200, height: 800 },
      { x: 2000, y: 50, width: 2000, height: 1200 },
      { x: -300, y: 100, width: 1200, height: 800 },
    ])
      expect(placeWindow({ bounds }, [screen, second])).toEqual(bounds);
  });

  it('is in the middle of the main screen at first, and when the screen that it was on is gone', () => {
    expect(placeWindow({ bounds: null }, [screen])).toEqual({ x: 240, y: 103, width: 1440, height: 900 });
    expect(placeWindow({ bounds: { x: 2000, y: 50, width: 1200, height: 800 } }, [screen])).toEqual({
      x: 360,
      y: 153,
      width: 1200,
      height: 800,
    });
  });

  it.each([
    ['above the screen', { x: 100, y: -800, width: 1200, height: 800 }],
    ['with its title bar below', { x: 100, y: 1070, width: 1200, height: 800 }],
    ['with a strip on the screen that nobody can take hold of', { x: -1150, y: 100, width: 1200, height: 800 }],
  ])('is never %s', (_where, bounds) => {
    const placed = placeWindow({ bounds }, [screen]);
    expect(placed.x).toBeGreaterThanOrEqual(screen.x);
    expect(placed.y).toBeGreaterThanOrEqual(screen.y);
  });

  it('is no larger than the screen, and large enough to be used', () => {
    expect(placeWindow({ bounds: { x: 0, y: 30, width: 9000, height: 9000 } }, [screen])).toMatchObject({ width: 1920, height: 1055 });
    expect(placeWindow({ bounds: { x: 0, y: 30, width: 10, height: 10 } }, [screen])).toMatchObject(SMALLEST);
    expect(placeWindow({ bounds: null }, [])).toMatchObject({ width: 1440, height: 900 });
  });

  it('is forgotten when what was kept cannot be', async () => {
    const path = join(belongings.directory('window'), 'window.json');
    writeFileSync(path, JSON.stringify({ bounds: { x: 1e99, y: 0, width: 1, height: 1 }, maximized: true, fullScreen: false }));
    const told: string[] = [];
    expect((await openWindowState(path, (what) => told.push(what))).value).toEqual({ bounds: null, maximized: false, fullScreen: false });
    expect(told).toHaveLength(1);
  });
});

describe('the tray', () => {
  const waiting = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ id: String(index), principal: 'deploy-bot', target: 'orders', action: 'sql:write' }));

  it('says what waits, and leads there', () => {
    const model = trayModel({ gateway: 'prod', state: 'up', waiting: waiting(1) });
    expect(model).toMatchObject({ icon: 'waiting', title: '1', tooltip: 'Sallyport – prod: 1 approval waits for you' });
    expect(model.items).toContainEqual({ kind: 'route', label: 'deploy-bot → orders: sql:write', route: '/approvals/0' });
  });

  it('stays a menu however much waits', () => {
    const model = trayModel({ gateway: 'prod', state: 'up', waiting: waiting(300) });
    expect(model.items.length).toBeLessThan(20);
    expect(model.items).toContainEqual({ kind: 'route', label: '292 more…', route: '/approvals' });
  });

  it.each([
    ['up', 'nothing waits for you'],
    ['lost', 'the gateway does not answer'],
    ['logged-out', 'not logged in'],
    ['connecting', 'connecting'],
  ] as const)('says how it is when it is %s', (state, words) => {
    expect(trayModel({ gateway: 'prod', state, waiting: [] })).toMatchObject({
      icon: 'idle',
      title: '',
      tooltip: `Sallyport – prod: ${words}`,
    });
  });

  it('shows names that somebody chose as nothing but names', () => {
    const hostile = { id: '1', principal: 'a\u202Eb\n&quit', target: 'x'.repeat(500), action: 'ssh:exec' };
    const { items } = trayModel({ gateway: 'prod', state: 'up', waiting: [hostile] });
    const [label = ''] = items.flatMap((item) => (item.kind === 'route' && item.route === '/approvals/1' ? [item.label] : []));
    expect(label).toMatch(/^a�b�＆quit → x+….*: ssh:exec$/);
    expect(label.length).toBeLessThan(100);
  });
});

describe('menus', () => {
  const all = (platform: Platform, inspect = false): MenuItem[] => menuModel(platform, { inspect }).flatMap(({ items }) => [...items]);
  const roles = (items: MenuItem[]) => items.flatMap((item) => ('role' in item ? [item.role] : []));

  it.each<Platform>(['linux', 'win32', 'darwin'])('have what people of %s look for', (platform) => {
    expect(roles(all(platform))).toEqual(
      expect.arrayContaining(['copy', 'paste', 'selectAll', 'quit', 'minimize', 'close', 'togglefullscreen']),
    );
  });

  it('follow the Mac: an app menu with about, settings, hide and quit', () => {
    const [app, file, ...others] = menuModel('darwin', { inspect: false });
    expect(roles([...(app?.items ?? [])])).toEqual(['about', 'services', 'hide', 'hideOthers', 'unhide', 'quit']);
    expect(roles([...(file?.items ?? [])])).toEqual(['close']);
    expect(others.map(({ label }) => label)).toEqual(['Edit', 'View', 'Window']);
    expect(menuModel('win32', { inspect: false }).map(({ label }) => label)).toEqual(['&File', '&Edit', '&View', '&Window', '&Help']);
  });

  it('give no key two meanings', () => {
    for (const platform of ['linux', 'darwin'] as const) {
      const keys = all(platform).flatMap((item) => ('label' in item && item.accelerator !== undefined ? [item.accelerator] : []));
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.length).toBeGreaterThan(7);
    }
  });

  it('let nobody reload or inspect what was installed', () => {
    expect(roles(all('linux'))).not.toContain('toggleDevTools');
    expect(roles(all('linux'))).not.toContain('reload');
    expect(roles(all('linux', true))).toContain('toggleDevTools');
  });
});

describe('a notification', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  const asked = request('0198c2c0-1234-7000-8000-00000000abcd', { expires: '2026-03-01T12:05:00.000000Z', principal: 'deploy-bot' });
  const approval = (change: Partial<Approval> = {}): Approval => ({
    request: asked as unknown as Approval['request'],
    state: 'waiting',
    origin: 'test.example/log',
    decisions: [],
    yours: { may: true },
    ...change,
  });
  const elsewhere = { focused: true, route: '/sessions' };

  it('comes for what waits for this person, and leads to it', () => {
    const notice = noticeFor(approval(), elsewhere, now);
    expect(notice).toMatchObject({ title: 'deploy-bot asks for approval', route: `/approvals/${asked.id}`, urgent: false });
    expect(notice?.body).toContain('5 minutes are left');
    expect(noticeFor(approval(), elsewhere, Date.parse(asked.expires) - 20_000)).toMatchObject({
      urgent: true,
      body: expect.stringContaining('20 seconds'),
    });
  });

  it('says nothing of what exactly is asked: it lies open on a locked screen', () => {
    const secret = approval({
      request: { ...asked, facts: { command: 'psql -c "select * from salaries"' } } as unknown as Approval['request'],
    });
    expect(JSON.stringify(noticeFor(secret, elsewhere, now))).not.toContain('salaries');
  });

  it('does not come for what they may not decide, or what is over', () => {
    expect(noticeFor(approval({ yours: { may: false } }), elsewhere, now)).toBeUndefined();
    for (const state of ['approved', 'denied', 'expired', 'withdrawn', 'reviewed'] as const)
      expect(noticeFor(approval({ state }), elsewhere, now)).toBeUndefined();
  });

  it('does not come for what they look at, and does when the window is behind others', () => {
    for (const route of ['/approvals', '/approvals?risk=high', `/approvals/${asked.id}`]) {
      expect(noticeFor(approval(), { focused: true, route }, now)).toBeUndefined();
      expect(noticeFor(approval(), { focused: false, route }, now)).toBeDefined();
    }
    expect(noticeFor(approval(), { focused: true, route: '/approvals/another' }, now)).toBeDefined();
  });

  it('comes for a review of what went ahead', () => {
    expect(noticeFor(approval({ state: 'review' }), elsewhere, now)).toMatchObject({
      title: 'deploy-bot went ahead without approval',
      urgent: true,
    });
  });
});
