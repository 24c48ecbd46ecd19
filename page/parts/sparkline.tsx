const WIDTH = 70
const HEIGHT = 14

/** Shows the latest values as a line without axes, and the failed ones among them (`below`) as a second line. */
export function Sparkline({values, below, label}: SparklineProps) {
  const most = Math.max(1, ...values)
  const pointsOf = (all: readonly number[], from = 0): string =>
    all
      .map((value, index) => {
        const x = (index / Math.max(1, all.length - 1)) * WIDTH
        return `${x.toFixed(1)},${(HEIGHT - 1 - (value / most) * (HEIGHT - 2)).toFixed(1)}`
      })
      .slice(from)
      .join(' ')
  const failing = below.findIndex(value => value > 0)
  return (
    <svg class="spark" role="img" aria-label={label} width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`}>
      <title>{label}</title>
      <polyline points={pointsOf(values)} />
      {failing >= 0 && <polyline class="bad" points={pointsOf(below, Math.max(0, failing - 1))} />}
    </svg>
  )
}

interface SparklineProps {
  readonly values: readonly number[]
  readonly below: readonly number[]
  readonly label: string
}
