/** Two arches, one within the other. */
export function BrandMark({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="var(--accent)" strokeWidth="2" aria-hidden="true">
      <path d="M2 18V6a4 4 0 0 1 4-4h8a4 4 0 0 1 4 4v12" />
      <path d="M7 18v-8a2 2 0 0 1 2-2h2a2 2 0 0 1 2 2v8" />
    </svg>
  );
}
