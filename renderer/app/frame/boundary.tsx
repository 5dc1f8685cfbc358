import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { Problem } from '../client/problem.ts';
import { FaultState } from '../design/states.tsx';

/** A defect of one screen leaves the rest of the app as it is. */
export class Boundary extends Component<{ children: ReactNode }, { fault: Error | undefined }> {
  override state: { fault: Error | undefined } = { fault: undefined };

  static getDerivedStateFromError(thrown: unknown): { fault: Error } {
    return { fault: thrown instanceof Error ? thrown : new Error(String(thrown)) };
  }

  override render(): ReactNode {
    const { fault } = this.state;
    if (fault === undefined) return this.props.children;
    const problem = new Problem(-1, 'INTERNAL', fault.message, 'This is a defect of the app. What is recorded is not touched by it.');
    return (
      <>
        <FaultState problem={problem} retry={() => this.setState({ fault: undefined })} />
        <Button onClick={() => location.reload()}>Load the app again</Button>
      </>
    );
  }
}
