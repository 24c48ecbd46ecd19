/** What Dapr has and Pillion has not yet. */
export type Unbuilt = 'actors' | 'workflows' | 'jobs' | 'cryptography'

/** For who asks for it. */
export const UNBUILT_TEXT: Readonly<Record<Unbuilt, string>> = {
  actors: 'Pillion does not run actors yet',
  workflows: 'Pillion does not run workflows yet',
  jobs: 'Pillion does not run jobs yet',
  cryptography: 'Pillion does not encrypt or decrypt yet'
}
