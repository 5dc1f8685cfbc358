import {
  type BridgeAnswer,
  bridgeMessage,
  bridgeSchemas,
  isQuestion,
  type QuestionInput,
  type QuestionName,
  type QuestionOutput,
} from '../../contract/desktop-bridge.ts';
import { DesktopError, toBridgeError } from '../base/desktop-error.ts';
import { isAppAddress } from '../page/app-origin.ts';

/** Questions that may wait for their answer at a time; a page that asks more does not ask for a person. */
const MOST_WAITING = 512;

/** Who asks, as Electron says it: not the page itself. */
export interface Sender {
  /** Of the frame; empty when it is gone already. */
  readonly url: string;
  readonly isMainFrame: boolean;
  /** It is the window that this app has made. */
  readonly isOurWindow: boolean;
}

export type Answers = { readonly [N in QuestionName]: (input: QuestionInput<N>) => Promise<QuestionOutput<N>> };

export type Dispatch = (sender: Sender, message: unknown) => Promise<BridgeAnswer>;

/**
 * The one way in for the page. Everything is checked here and nowhere else has to be: who asks, what is asked, and that
 * what goes with it has its form. `log` is told what was refused for that, and of defects.
 */
export function dispatcher(answers: Answers, log: (what: string, thrown?: unknown) => void): Dispatch {
  let waiting = 0;
  return async (sender, message) => {
    try {
      requireOurPage(sender);
      const { ask, input } = parsed(message);
      if (waiting >= MOST_WAITING) throw refused(`${MOST_WAITING} questions of the page wait already`);
      waiting += 1;
      try {
        return { ok: true, output: await answer(answers, ask, input) };
      } finally {
        waiting -= 1;
      }
    } catch (thrown) {
      const error = toBridgeError(thrown);
      if (thrown instanceof Refused) log(thrown.message);
      else if (error.code === 'INTERNAL') log('a defect', thrown);
      return { ok: false, error };
    }
  };
}

function requireOurPage({ url, isMainFrame, isOurWindow }: Sender): void {
  if (!isOurWindow || !isMainFrame || !isAppAddress(url))
    throw refused(`a page that is not ours asked something: ${JSON.stringify(url.slice(0, 200))}`);
}

function parsed(message: unknown): { ask: QuestionName; input: unknown } {
  const read = bridgeMessage.safeParse(message);
  if (!read.success) throw refused('the page sent something that is no question');
  const { ask, input } = read.data;
  if (!isQuestion(ask)) throw refused(`the page asked for ${JSON.stringify(ask)}, which does not exist`);
  return { ask, input };
}

async function answer<N extends QuestionName>(answers: Answers, name: N, input: unknown): Promise<QuestionOutput<N>> {
  const read = bridgeSchemas(name).input.safeParse(input);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw refused(`what the page sent with ${name} does not fit: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
  }
  return answers[name](read.data);
}

class Refused extends DesktopError {}

function refused(what: string): Refused {
  return new Refused('REQUEST_INVALID', what);
}
