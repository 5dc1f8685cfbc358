import { memo } from 'react';

const WIDTH = 76;
const HEIGHT = 15;

/** How busy a session was over its length, as bars. Tells nothing that the numbers beside it do not, so it is hidden from readers. */
export const ActivityStrip = memo(function ActivityStrip({ parts }: { parts: readonly number[] | undefined }) {
  if (parts === undefined || parts.length === 0) return null;
  const step = WIDTH / parts.length;
  const bars = parts.map((part, at) => {
    const height = part === 0 ? 1 : Math.max(2, (part / 100) * HEIGHT);
    return `M${(at * step).toFixed(1)} ${HEIGHT}v-${height.toFixed(1)}h${(step - 1).toFixed(1)}V${HEIGHT}z`;
  });
  return (
    <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path d={bars.join('')} fill="var(--accent)" opacity="0.8" />
    </svg>
  );
});
