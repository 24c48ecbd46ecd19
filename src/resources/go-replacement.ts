/** Replaces every match in a text. */
export type Replace = (text: string) => string

/**
 * Compiles a regular expression and what its matches become, both as Go reads them: RE2, with `$1`, `${1}`, `${name}` and
 * `$$` (Go: Regexp.ReplaceAllString). Throws for what is no expression. The library is loaded with the first one.
 */
export async function compileReplacement(expression: string, template: string): Promise<Replace> {
  const {RE2JS} = await import('re2js')
  const compiled = RE2JS.compile(expression)
  return text => {
    const matcher = compiled.matcher(text)
    let result = ''
    let at = 0
    while (matcher.find()) {
      result += text.slice(at, matcher.start()) + expand(template, name => groupOf(matcher, name))
      at = matcher.end()
    }
    return result + text.slice(at)
  }
}

/** `$name` takes as many letters, digits and underlines as there are. */
const expand = (template: string, groupNamed: (name: string) => string): string =>
  template.replace(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_, dollar?: string, inBraces?: string, plain?: string) =>
    dollar === undefined ? groupNamed(inBraces ?? plain ?? '') : dollar
  )

/** A group that is not there, or has not taken part, is empty. */
function groupOf(matcher: {group(name: string | number): string | null}, name: string): string {
  try {
    return matcher.group(/^\d+$/.test(name) ? Number(name) : name) ?? ''
  } catch {
    return ''
  }
}
