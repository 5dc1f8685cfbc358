import { describeError, type SallyportError } from '../../base/errors.ts';
import { LocalEndpoint } from './local-endpoint.ts';

/** ssh and its relatives use 255 for what went wrong on the way, as opposed to in the command. */
const CONNECTION_FAILED = 255;

/**
 * Tells a client why there is no session, in its own terminal and with an exit status: whatever it starts on a channel
 * answers with one line on standard error.
 */
export function noticeEndpoint(error: SallyportError, status = CONNECTION_FAILED): LocalEndpoint {
  const line = `sallyport: ${describeError(error)}`;
  return new LocalEndpoint((channel) => {
    let terminal = false;
    return {
      request(name) {
        if (name === 'pty-req') terminal = true;
        return name === 'pty-req' || name === 'shell' || name === 'exec' || name === 'subsystem';
      },
      replied(name) {
        if (name === 'pty-req') return;
        channel.write(terminal ? `${line}\r\n` : `${line}\n`, !terminal);
        channel.finish(status);
      },
      data: (bytes) => channel.consumed(bytes.length),
      eof() {},
      closed() {},
      pause() {},
    };
  });
}
