import type {Unbuilt} from '../../model/dapr/api/block-api.ts'

/** For who asks for what is not built yet. */
export const UNBUILT_TEXT: Readonly<Record<Unbuilt, string>> = {
  actors: 'Pillion does not run actors yet',
  jobs: 'Pillion does not run jobs yet'
}
