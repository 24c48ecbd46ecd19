// Used part of the official client, which is CommonJS: a bundle keeps only names that are imported by name.
export {createClient, createCluster, createSentinel, ErrorReply, RESP_TYPES} from '@redis/client'
