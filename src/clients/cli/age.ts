/** `12s`, `3m`, `4h`, `2d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds <= 60) return `${seconds}s`
  if (seconds <= 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds <= 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** `2006-01-02 15:04.05`, local time, with Dapr's dot before the seconds. */
export function created(at: Date): string {
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}.${two(at.getSeconds())}`
}

const two = (n: number): string => n.toString().padStart(2, '0')

/** `-5s`, `+2h`: how far a time lies behind or ahead. */
export const relativeTime = (at: number, now: number): string => `${at > now ? '+' : '-'}${age(Math.abs(at - now))}`
