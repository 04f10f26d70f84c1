#!/bin/bash
# One search on nodes of Slurm: docs/cluster.md.
#
#   sbatch deploy/slurm.sh --space spaces/full.py --data /shared/photos --name photos
#   sbatch deploy/slurm.sh --resume runs/photos
#
#SBATCH --job-name=classifier-search
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=12:00:00
#SBATCH --output=search-%j.log
# Five minutes before the time is up the search ends in order, and can be gone on with.
#SBATCH --signal=B:TERM@300
set -euo pipefail

first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
ip=$(srun --nodes=1 --ntasks=1 --nodelist="$first" hostname --all-ip-addresses | cut -d ' ' -f 1)
port=${SEARCH_PORT:-$((20000 + SLURM_JOB_ID % 10000))}
address="$ip:$port"

# Others have accounts on these nodes: nobody uses this Ray without its token.
umask 077
RAY_AUTH_TOKEN_PATH=$(mktemp "$HOME/.ray-token-XXXXXX")
export RAY_AUTH_TOKEN_PATH RAY_AUTH_MODE=token
python -c 'import secrets; print(secrets.token_hex(32), end="")' > "$RAY_AUTH_TOKEN_PATH"

started=()
search=
# shellcheck disable=SC2329  # the trap calls it
finish() {
    kill -TERM "${started[@]}" 2> /dev/null || true
    wait "${started[@]}" 2> /dev/null || true
    rm -f "$RAY_AUTH_TOKEN_PATH"
}
trap finish EXIT
trap '[ -n "$search" ] && kill -TERM "$search"' TERM

on_node=(--cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --overlap)
start=(ray start --block --num-cpus="${SLURM_CPUS_PER_TASK:-1}" --disable-usage-stats)
srun --nodes=1 --ntasks=1 --nodelist="$first" "${on_node[@]}" \
    "${start[@]}" --head --node-ip-address="$ip" --port="$port" --include-dashboard=false &
started+=($!)
until ray health-check --address="$address" > /dev/null 2>&1; do
    kill -0 "${started[0]}"   # the head has ended: nothing to wait for
    sleep 2
done
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
    others=$((SLURM_JOB_NUM_NODES - 1))
    srun --nodes="$others" --ntasks="$others" --exclude="$first" "${on_node[@]}" \
        "${start[@]}" --address="$address" &
    started+=($!)
fi

python -m search.run --address "$address" "$@" &
search=$!
code=0
wait "$search" || code=$?
# A signal ends `wait`, not the search, which now ends in order.
while kill -0 "$search" 2> /dev/null; do
    code=0
    wait "$search" || code=$?
done
exit "$code"
