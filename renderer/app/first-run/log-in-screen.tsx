import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Operator } from '../client/operator-context.tsx';
import { asProblem } from '../client/problem.ts';
import { useHost } from '../host/host-context.tsx';

export function LogInScreen({
  ended,
  fault,
  onEntered,
}: {
  ended: Operator | undefined;
  fault: string | undefined;
  onEntered: () => void;
}) {
  const { door } = useHost();
  const [code, setCode] = useState('');
  const [problem, setProblem] = useState(fault);
  return (
    <main>
      <h1>{ended === undefined ? 'Log in' : 'Your log-in has ended'}</h1>
      <TextInput label="Code or link" value={code} onChange={(event) => setCode(event.currentTarget.value)} error={problem} />
      <Button onClick={() => void door.codeLogin(code).then(onEntered, (thrown: unknown) => setProblem(asProblem(thrown).message))}>
        Log in
      </Button>
    </main>
  );
}
