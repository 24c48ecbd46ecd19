import {buildImages, placeholders, unbuiltIn, type Image} from '#kubernetes'
import {UserError} from '../../../../model/errors.ts'
import type {Plan} from '../../../../model/plan.ts'
import type {CommandContext} from '../../command-handler.ts'
import {signedLine} from '../../print.ts'
import type {Terminal} from '../../terminal.ts'

/** The images that `--build` makes. */
export interface WantedImages {
  /** Images to use while everything else is checked, by app id. */
  readonly placeholders: ReadonlyMap<string, Image>
  /** Builds the images and delivers them to the cluster. Rejects with a UserError. */
  readonly build: (context: string, terminal: Terminal) => Promise<ReadonlyMap<string, Image>>
}

const NONE: WantedImages = {placeholders: new Map(), build: async () => Promise.resolve(new Map<string, Image>())}

/** The images of a template's apps without `containerImage`; none without `--build`. */
export async function wantedImages({apps}: Plan, {flags, asJson}: CommandContext): Promise<WantedImages> {
  const registry = (flags.text('registry') ?? '').replace(/\/+$/, '')
  if (!flags.isSet('build')) {
    if (registry !== '') throw new UserError('--registry says where --build pushes images: add --build')
    return NONE
  }
  const unbuilt = unbuiltIn(apps)
  if (unbuilt.length === 0) return NONE
  return {
    placeholders: placeholders(unbuilt),
    async build(context, terminal) {
      const end = new AbortController()
      const stop = (): void => end.abort(new UserError('the build was stopped; nothing was deployed'))
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
      for (const signal of signals) process.on(signal, stop)
      try {
        const onStep = (text: string): void => void terminal.out.print(signedLine('info', text, asJson))
        return await buildImages(unbuilt, {context, registry, signal: end.signal, onStep})
      } finally {
        for (const signal of signals) process.off(signal, stop)
      }
    }
  }
}
