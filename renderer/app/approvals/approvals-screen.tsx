import { Screen } from '../design/pane.tsx';

export function ApprovalsScreen({ approval }: { approval: string | undefined }) {
  return <Screen label="approvals">{approval}</Screen>;
}
