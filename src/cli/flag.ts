/** A command-line flag, in the terms of pflag. Parsing and help are generated from these tables. */
export interface Flag {
  readonly name: string
  readonly short?: string
  /** `strings` are separated by commas or repeated; `stringArray` only repeated, as in pflag. */
  readonly type: 'string' | 'int' | 'bool' | 'strings' | 'stringArray'
  readonly text: string
  /** The default as help shows it: `"http"`, `-1`. */
  readonly shown?: string
  /** Words that are accepted in place of numbers. */
  readonly words?: Readonly<Record<string, number>>
  /** May be given several times; help shows its type as Dapr's does. */
  readonly repeats?: true
  /** Throws for an invalid value. */
  readonly check?: (value: string) => void
  /** Refused without `--kubernetes`. */
  readonly needsKubernetes?: boolean
  /** Accepted, but not listed in help. */
  readonly isHidden?: boolean
  /** Printed on stderr when the flag is used. */
  readonly deprecated?: string
}

export const textFlag = (name: string, text: string, short?: string): Flag => ({
  name,
  type: 'string',
  text,
  ...(short !== undefined && {short})
})
