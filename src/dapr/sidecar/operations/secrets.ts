import type {SECRETS} from '../../../model/dapr/api/blocks.ts'
import {
  GetBulkSecretRequest,
  GetBulkSecretResponse,
  GetSecretRequest,
  GetSecretResponse
} from '../../../model/dapr/messages/secret.generated.ts'
import {json} from './block-request.ts'
import {grpc, type OperationsOf} from './operation.ts'

/** Secrets (Dapr: pkg/api/http/secrets.go, pkg/api/universal/secrets.go). */
export const SECRET_OPERATIONS: OperationsOf<typeof SECRETS> = {
  GetSecret: {
    http: async ({secrets}, {params: [store = '', name = ''], onGone}) => json(await secrets.get(store, name, onGone)),
    grpc: grpc(GetSecretRequest, GetSecretResponse, async ({secrets}, {storeName, key}, {onGone}) => ({
      data: await secrets.get(storeName, key, onGone)
    }))
  },
  GetBulkSecret: {
    http: async ({secrets}, {params: [store = ''], onGone}) => json(await secrets.all(store, onGone)),
    grpc: grpc(GetBulkSecretRequest, GetBulkSecretResponse, async ({secrets}, {storeName}, {onGone}) => {
      const all = Object.entries(await secrets.all(storeName, onGone))
      return {data: Object.fromEntries(all.map(([name, keys]) => [name, {secrets: keys}]))}
    })
  }
}
