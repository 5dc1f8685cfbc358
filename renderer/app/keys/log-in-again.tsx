import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useHost } from '../host/host-context.tsx';
import classes from './keys.module.css';

/** Whoever finds a window open and somebody logged in must not be able to add a key of theirs: it takes a fresh log-in. */
export function LogInAgain() {
  const { door } = useHost();
  const client = useQueryClient();
  // Who is logged in is asked again also where the gateway did not answer: it says what is so.
  const leave = () => door.logOut().finally(() => void client.invalidateQueries({ queryKey: ['whoami'] }));
  return (
    <div className={classes.again}>
      <p>A key can be registered within ten minutes of logging in, and you logged in longer ago.</p>
      <p className="muted">Log in again; you come back to this place. Then make the key first.</p>
      <Button onClick={() => void leave()}>Log in again</Button>
    </div>
  );
}
