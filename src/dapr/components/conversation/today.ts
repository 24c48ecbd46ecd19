const SHORT = {year: 'numeric', month: 'short', day: 'numeric'} as const
const LONG = {...SHORT, month: 'long'} as const

const TIME = String.raw`(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?`

/**
 * Returns a function that replaces today's date by `<today>`, as agents write it into instructions, with weekday and time or
 * without: a question of today is the same tomorrow. Other dates stay.
 */
export function withoutDay(now: Date): (text: string) => string {
  const forms = [undefined, 'UTC'].flatMap(timeZone => {
    const written = (language: string, options: Intl.DateTimeFormatOptions): string =>
      now.toLocaleDateString(language, {...options, timeZone})
    const [weekday, short] = [written('en-US', {weekday: 'long'}), written('en-US', {weekday: 'short'})]
    // programs write a day of one digit as `05`, too, leave out commas, and shorten September to `Sep`
    const words = [LONG, SHORT].flatMap(options =>
      ['en-US', 'en-GB'].map(language =>
        written(language, options)
          .replace(/(?<!\d)\d(?!\d)/, '0?$&')
          .replace(',', ',?')
          .replace('Sept ', 'Sept? ')
      )
    )
    return [...words, written('sv-SE', {})].map(date => `(?:(?:${weekday}|${short}),? )?${date}${TIME}`)
  })
  const pattern = new RegExp(`(?<![\\w-])(?:${forms.join('|')})(?!\\w)`, 'g')
  return text => text.replaceAll(pattern, '<today>')
}
