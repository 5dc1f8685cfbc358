import { MessageType, writeMessage } from '../../../gateway/protocol/ssh/connection-messages.ts';
import type { Belongings } from '../../support/temp.ts';
import { type RawPeer, rawClient, rawServer, sshTarget, type TestGateway, type TestGatewayOptions, testGateway } from './support.ts';

/** A client and a target with the gateway between them; both speak raw messages. */
export interface RawSession {
  readonly gateway: TestGateway;
  readonly client: RawPeer;
  readonly target: RawPeer;
}

export const WINDOW = 2 * 1024 * 1024;
export const PACKET = 32 * 1024;

export const openSession = (id: number, window = WINDOW) => writeMessage(MessageType.CHANNEL_OPEN, 'session', id, window, PACKET);
export const confirm = (recipient: number, sender: number, window = WINDOW) =>
  writeMessage(MessageType.CHANNEL_OPEN_CONFIRMATION, recipient, sender, window, PACKET);
export const data = (recipient: number, bytes: Uint8Array | string) => writeMessage(MessageType.CHANNEL_DATA, recipient, bytes);
export const request = (recipient: number, name: string, wantReply: boolean, ...fields: (number | boolean | string | Uint8Array)[]) =>
  writeMessage(MessageType.CHANNEL_REQUEST, recipient, name, wantReply, ...fields);
export const eof = (recipient: number) => writeMessage(MessageType.CHANNEL_EOF, recipient);
export const close = (recipient: number) => writeMessage(MessageType.CHANNEL_CLOSE, recipient);

export async function rawSession(belongings: Belongings, options: Partial<TestGatewayOptions> = {}): Promise<RawSession> {
  const server = await rawServer(belongings);
  const gateway = await testGateway(belongings, { ...options, targets: [sshTarget(server)] });
  const [client, target] = await Promise.all([rawClient(gateway, { username: 'web', privateKey: gateway.key }), server.accepted()]);
  belongings.add(() => void client.socket.destroy());
  return { gateway, client, target };
}

/** Another session through the same gateway would need the same server; this opens a channel in this one. */
export async function openChannel(
  { client, target }: RawSession,
  clientId = 7,
  targetId = 70,
): Promise<{ clientId: number; targetId: number }> {
  const before = target.of(MessageType.CHANNEL_OPEN).length;
  const confirmed = client.of(MessageType.CHANNEL_OPEN_CONFIRMATION).length;
  client.send(openSession(clientId));
  await target.next(MessageType.CHANNEL_OPEN, before);
  target.send(confirm(clientId, targetId));
  await client.next(MessageType.CHANNEL_OPEN_CONFIRMATION, confirmed);
  return { clientId, targetId };
}

/** The reason with which the gateway closed its one session, once it has. */
export async function closedWith(gateway: TestGateway): Promise<{ reason: string; code?: string | undefined }> {
  await gateway.parts.live.drain();
  const [record] = gateway.ledger.of('session.close');
  if (record === undefined) throw new Error('no session was closed');
  return record.body;
}
