import {UserError} from '../../../model/errors.ts'

/** How an image that was built gets to a cluster. */
export interface ImageDelivery {
  /** Undefined: the cluster has the images of the builder. */
  readonly command: ((image: string) => readonly string[]) | undefined
  /** What the command does: `Loading into kind`. */
  readonly text: string
  readonly env: Readonly<Record<string, string>>
}

/** The way to bring images to a cluster, by the name of its context; `--registry` comes first. Throws a `UserError` if there is none. */
export function deliveryTo(context: string, builder: string, registry: string): ImageDelivery {
  const plain = {env: {}}
  if (registry !== '') return {...plain, command: image => [builder, 'push', image], text: 'Pushing'}
  const [, tool = '', name = ''] = /^(kind|k3d)-(.+)$/.exec(context) ?? []
  if (tool === 'kind')
    return {
      command: image => ['kind', 'load', 'docker-image', image, '--name', name],
      text: 'Loading into kind',
      env: builder === 'docker' ? {} : {KIND_EXPERIMENTAL_PROVIDER: builder}
    }
  if (tool === 'k3d')
    return {...plain, command: image => ['k3d', 'image', 'import', image, '-c', name], text: 'Loading into k3d'}
  if (context === 'minikube')
    return {...plain, command: image => ['minikube', 'image', 'load', image], text: 'Loading into minikube'}
  if (['docker-desktop', 'orbstack'].includes(context)) return {...plain, command: undefined, text: ''}
  throw new UserError(`built images cannot be loaded into the cluster of the context "${context}"`, {
    explanation: 'Add --registry HOST/PATH: a registry to which you may push, and from which the cluster pulls.'
  })
}
