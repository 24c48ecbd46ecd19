const SHORT = {year: 'numeric', month: 'short', day: 'numeric'} as const
const LONG = {...SHORT, month: 'long'} as const

const TIME = String.raw`(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?`

/**
 * What makes the date of the day, as agents write it into their instructions, `<today>` in a text, with a time behind it or
 * without: a question of today is the same tomorrow. Other dates stay.
 */
export function withoutDay(now: Date): (text: string) => string {
  const zones = [undefined, 'UTC']
  const words = zones.flatMap(timeZone =>
    [LONG, SHORT].flatMap(options =>
      ['en-US', 'en-GB'].map(language => now.toLocaleDateString(language, {...options, timeZone}))
    )
  )
  const numbers = zones.map(timeZone => `${now.toLocaleDateString('sv-SE', {timeZone})}${TIME}`)
  const pattern = new RegExp(`(?<![\\w-])(?:${[...words, ...numbers].join('|')})(?!\\w)`, 'g')
  return text => text.replaceAll(pattern, '<today>')
}
