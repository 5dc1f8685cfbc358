import { notifications } from '@mantine/notifications';
import { useLocation } from 'wouter';
import { ask } from '../client/ask.ts';
import { useOnEvent } from '../client/event-context.tsx';
import { useHasRole } from '../client/operator-context.tsx';
import { useHost } from '../host/host-context.tsx';
import { routes } from '../routes.ts';
import { inFewWords } from './exact-text.ts';
import { visibleLine } from './visible-text.ts';

const MOST_WORDS = 160;

/** Tells whoever may decide that something waits, where they are looking: in the window, or by the system when it is not in front. */
export function ApprovalNotifier() {
  const host = useHost();
  const isReviewer = useHasRole('reviewer');
  const [location, go] = useLocation();
  useOnEvent((event) => {
    if (event.event !== 'approval.asked' || !isReviewer) return;
    const inFront = document.visibilityState === 'visible' && document.hasFocus();
    if (inFront && (location.startsWith(routes.approvals) || location === routes.liveSession(event.session))) return;
    void tell(event.approval, inFront).catch(() => undefined); // It stands in the count of the rail all the same.
  });
  const tell = async (approval: string, inFront: boolean) => {
    const { request, state, yours } = await ask(host.transport, 'approval.show', { approval });
    if (!yours.may || state !== 'waiting') return;
    const title = `${visibleLine(request.principal)} waits on ${request.target.name}`;
    const words = visibleLine(inFewWords(request));
    const body = words.length > MOST_WORDS ? `${words.slice(0, MOST_WORDS)}…` : words;
    const route = routes.approval(approval);
    if (!inFront) host.notify({ title, body, route, tag: approval });
    else
      notifications.show({
        id: approval,
        title,
        message: body,
        color: 'yellow',
        onClick: () => {
          notifications.hide(approval);
          go(route);
        },
      });
  };
  return null;
}
