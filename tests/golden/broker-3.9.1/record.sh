#!/bin/bash
# Makes the log directories of this folder and of broker-2.7.2 with Apache's servers:
#   record.sh VERSION ZKPORT KPORT OUT      (an absolute OUT, emptied first; PEER names tests/peers/peer)
V=$1; ZP=$2; KP=$3; OUT=$4; P=${PEER:-tests/peers/peer}
rm -rf $OUT; mkdir -p $OUT/zk $OUT/kafka $OUT/data
cat > $OUT/zoo.cfg <<Z
tickTime=2000
dataDir=$OUT/zk/data
clientPort=$ZP
clientPortAddress=127.0.0.1
Z
cat > $OUT/server.properties <<K
broker.id=1
listeners=PLAINTEXT://127.0.0.1:$KP
zookeeper.connect=127.0.0.1:$ZP
log.dirs=$OUT/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
log.cleaner.backoff.ms=500
group.initial.rebalance.delay.ms=0
K
HEAP=256m $P start zookeeper 3.9.5 $OUT/zk $OUT/zoo.cfg
HEAP=384m $P start kafka $V $OUT/kafka $OUT/server.properties
B=127.0.0.1:$KP
T() { $P tool $V topics --bootstrap-server $B "$@"; }
C="--config index.interval.bytes=300 --config segment.bytes=8192"
if [ $V = 3.9.1 ]; then
  T --create --topic codecs --partitions 1 $C
  T --create --topic txn --partitions 1 --config index.interval.bytes=300
  T --create --topic compacted --partitions 1 --config cleanup.policy=compact --config segment.bytes=2048 \
    --config min.cleanable.dirty.ratio=0.01 --config segment.ms=200 --config delete.retention.ms=100
else
  T --create --topic codecs --partitions 1 $C
  T --create --topic magic0 --partitions 1 $C --config message.format.version=0.9.0
  T --create --topic magic1 --partitions 1 $C --config message.format.version=0.10.2
fi
topics="codecs"; [ $V = 3.9.1 ] || topics="codecs magic0 magic1"
for t in $topics; do for z in none gzip snappy lz4 zstd; do
  [ $t != codecs ] && [ $z = zstd ] && continue
  extra=; [ $t = codecs ] && extra="-X enable.idempotence=true -H a=b -H empty="
  for r in 1 2 3; do
    seq 1 12 | sed "s/.*/key&:value & of $z in round $r, some more text to fill it/" |
      kcat -P -b $B -t $t -K: -z $z $extra -X linger.ms=50
  done
done; done
if [ $V = 3.9.1 ]; then
  for r in 1 2 3 4 5 6 7 8; do
    seq 1 9 | sed "s/.*/key&:value & of round $r/" |
      kcat -P -b $B -t compacted -K: -X enable.idempotence=true -X linger.ms=50
    echo "key3:" | kcat -P -b $B -t compacted -K: -Z; sleep 0.3
  done
  perf() { # count rate id duration
    $P tool $V producer-perf --topic txn --record-size 20 --producer-props bootstrap.servers=$B \
      --num-records $1 --throughput $2 --transactional-id $3 --transaction-duration-ms $4 > /dev/null
  }
  perf 30 1000 good 5
  perf 1000 3 bad 600000 & sleep 12; kill -KILL $(jobs -p)   # left in the middle of its transaction
  perf 5 1000 bad 5
  sleep 3
fi
$P stop $OUT/kafka
$P stop $OUT/zk
