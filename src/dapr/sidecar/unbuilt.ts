import type {Unbuilt} from '../../model/dapr/api/block-api.ts'

/** For who asks for what is not built yet. */
export const UNBUILT_TEXT: Readonly<Record<Unbuilt, string>> = {
  jobs: 'Pillion does not run jobs yet'
}
