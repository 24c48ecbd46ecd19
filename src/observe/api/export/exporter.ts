import type {Gathered} from '../trace/gather.ts'
import type {RecordedCall} from '../../telemetry/recorder/call-recorder.ts'

/** Writes calls in one format, one after the other. */
export interface Exporter {
  /** The media type of the whole text. */
  readonly type: string
  readonly before: string
  readonly between: string
  /** Returns the text after the calls. `comment`: '': none. */
  end(comment: string): string
  /** Returns the text of a call. `call`: without the words of a language model; `whole`: with them. */
  text(call: RecordedCall, whole?: RecordedCall): string
}

export interface ExporterOptions {
  /** Additional names whose values are masked. */
  readonly masked: readonly string[]
  /** Returns host and port of a call's target, its sidecar or its callee; empty if this run has none. */
  readonly placeOf: (call: RecordedCall) => string
  /** Time of the export, by `performance.now()`: open calls end there. */
  readonly now: number
  /** The causes of calls and the spans of apps, if the format has them. */
  readonly gathered?: Pick<Gathered, 'links' | 'spans'> | undefined
}

/** Note about a body in which `Masking` finds no names. */
export const UNMASKED = 'neither JSON nor a form: nothing in it is masked'

/** Returns a text for a comment of one line: without line ends and terminal controls. */
export const oneLine = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\uFFFD')
