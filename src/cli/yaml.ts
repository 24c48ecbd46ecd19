// On its own, so that only `list -o yaml` loads it.
export {stringify} from 'yaml'
