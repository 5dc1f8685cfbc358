import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ConnectionPlaces } from '../../gateway/operator-api/connection-places.ts';

/** A socket as far as a place needs one: its address, and whether it was ended. */
function client(port: number): Socket {
  const socket = new Socket();
  Object.defineProperties(socket, {
    remoteAddress: { value: '192.0.2.1' },
    remotePort: { value: port },
    localAddress: { value: '192.0.2.2' },
  });
  return socket;
}

test('one connection too many costs the one that has been silent for longest', () => {
  const places = new ConnectionPlaces(3);
  const [first, second, third, fourth] = [client(1), client(2), client(3), client(4)];
  for (const socket of [first, second, third]) places.enter(socket);
  places.asks(first);
  places.answered(first);
  places.enter(fourth);
  expect([first, second, third, fourth].map(({ destroyed }) => destroyed)).toEqual([false, true, false, false]);
  expect(places.taken).toBe(3);
});

test('a connection with a request keeps its place while others have none', () => {
  const places = new ConnectionPlaces(2);
  const asking = client(1);
  places.enter(asking);
  places.asks(asking);
  for (let port = 2; port < 100; port += 1) places.enter(client(port));
  expect([asking.destroyed, places.taken]).toEqual([false, 2]);
});

test('a connection that asks and asks, and does not wait for answers, ends', () => {
  const places = new ConnectionPlaces(2);
  const [patient, greedy] = [client(1), client(2)];
  places.enter(patient);
  places.enter(greedy);
  for (let round = 0; round < 100; round += 1) {
    expect(places.asks(patient)).toBe(true);
    places.answered(patient);
  }
  const admitted = Array.from({ length: 1000 }, () => places.asks(greedy)).filter(Boolean);
  expect([admitted.length, greedy.destroyed, patient.destroyed, places.taken]).toEqual([8, true, false, 1]);
});

test('when all are busy, the oldest goes', () => {
  const places = new ConnectionPlaces(2);
  const [first, second, third] = [client(1), client(2), client(3)];
  for (const socket of [first, second]) {
    places.enter(socket);
    places.asks(socket);
  }
  places.enter(third);
  expect([first, second, third].map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
});

test('a place is free when its connection has ended, and the port may come again', async () => {
  const places = new ConnectionPlaces(2);
  const [gone, again] = [client(1), client(1)];
  places.enter(gone);
  const closed = new Promise((resolve) => gone.once('close', resolve));
  gone.destroy();
  places.enter(again);
  await closed;
  expect(places.taken).toBe(1);
  places.asks(again);
  places.enter(client(2));
  places.enter(client(3));
  expect([again.destroyed, places.taken]).toEqual([false, 2]);
});

test('at the end every connection goes that has a place, and none that counts elsewhere', () => {
  const places = new ConnectionPlaces(3);
  const [silent, asking, left] = [client(1), client(2), client(3)];
  for (const socket of [silent, asking, left]) places.enter(socket);
  places.asks(asking);
  places.leave(left);
  places.close();
  expect([silent, asking, left].map(({ destroyed }) => destroyed)).toEqual([true, true, false]);
  expect(places.taken).toBe(0);
});
