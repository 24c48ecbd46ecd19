/** A line of the latest values, without axes; `below`: those among them that are bad. `label` says in words what it shows. */
export function Sparkline({values, below = [], label, width = 70, height = 14}: SparklineProps) {
  const most = Math.max(1, ...values)
  const pointsOf = (all: readonly number[]): string =>
    all
      .map((value, index) => {
        const x = (index / Math.max(1, all.length - 1)) * width
        return `${x.toFixed(1)},${(height - 1 - (value / most) * (height - 2)).toFixed(1)}`
      })
      .join(' ')
  return (
    <svg class="spark" role="img" aria-label={label} width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
      <title>{label}</title>
      <polyline points={pointsOf(values)} />
      {below.some(value => value > 0) && <polyline class="bad" points={pointsOf(below)} />}
    </svg>
  )
}

interface SparklineProps {
  readonly values: readonly number[]
  readonly below?: readonly number[]
  readonly label: string
  readonly width?: number
  readonly height?: number
}
