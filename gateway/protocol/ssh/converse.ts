import { SallyportError } from '../../base/errors.ts';
import type { LocalEndpoint } from './local-endpoint.ts';
import type { MessagePort } from './message-port.ts';

/**
 * Lets a client talk with an endpoint of the gateway's own; resolves when the client has left. `listen` sees every
 * message first and may keep it to itself. Nothing is at stake here: a client that breaks the protocol is let go, and
 * one that does not take what it is told is not listened to.
 */
export function converse(client: MessagePort, endpoint: LocalEndpoint, listen: (message: Buffer) => boolean = () => true): Promise<void> {
  return new Promise((resolve) => {
    endpoint.attach({
      message: (message) => {
        client.send(message);
        if (client.blocked) client.pause();
      },
      drained: () => undefined,
      closed: (error) => client.end(error),
    });
    client.attach({
      message: (message) => {
        try {
          if (listen(message)) endpoint.send(message);
        } catch {
          client.end(new SallyportError('PROTOCOL_VIOLATION', 'the client sent a message that is not well-formed'));
        }
      },
      drained: () => client.resume(),
      closed: () => {
        endpoint.end();
        resolve();
      },
    });
  });
}
