import { day, number } from '../design/format.ts';
import classes from './evidence.module.css';

const WIDTH = 300;
const HEIGHT = 44;

/** Records of each of the last days, the oldest first. */
export function GrowthChart({ growth }: { growth: readonly { day: string; records: number }[] }) {
  const most = Math.max(1, ...growth.map(({ records }) => records));
  const total = growth.reduce((sum, { records }) => sum + records, 0);
  const step = WIDTH / Math.max(1, growth.length);
  return (
    <figure className={classes.growth}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${number(total)} records in the last ${growth.length} days`}
      >
        {growth.map(({ day: date, records }, at) => {
          const height = records === 0 ? 1 : Math.max(2, (records / most) * HEIGHT);
          return (
            <rect key={date} x={at * step + 1} y={HEIGHT - height} width={step - 2} height={height} data-empty={records === 0 || undefined}>
              <title>{`${day(date)}: ${number(records)} records`}</title>
            </rect>
          );
        })}
      </svg>
      <figcaption>
        <span>{growth[0] === undefined ? '' : day(growth[0].day)}</span>
        <span>at most {number(most)} a day</span>
        <span>today</span>
      </figcaption>
    </figure>
  );
}
