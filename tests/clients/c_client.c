/* The C client against a server: one line on standard output for each step, compared by test_c_client.py. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <zookeeper/zookeeper.h>

/* Written by the client's own thread in watcher(), read by the main thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected;
static int events;
static int last_type;

static void watcher(zhandle_t* handle, int type, int state, const char* path, void* context) {
  (void)handle, (void)context, (void)path;
  pthread_mutex_lock(&lock);
  if (type == ZOO_SESSION_EVENT) {
    connected = state == ZOO_CONNECTED_STATE;
  } else {
    last_type = type;
    ++events;
  }
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
}

/* Until *value has reached `wanted`, or the time is over: the line that is printed says which. */
static void await(const int* value, int wanted, int seconds) {
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += seconds;
  pthread_mutex_lock(&lock);
  while (*value < wanted && pthread_cond_timedwait(&changed, &lock, &end) == 0) {
  }
  pthread_mutex_unlock(&lock);
}

static void await_event(int wanted) {
  await(&events, wanted, 5);
  pthread_mutex_lock(&lock);
  printf("event %d of type %d\n", events, last_type);
  pthread_mutex_unlock(&lock);
}

static void nodes(zhandle_t* zk) {
  char path[256], data[256];
  int size = sizeof data;
  struct Stat stat;
  printf("create %d\n", zoo_create(zk, "/c", "one", 3, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path));
  printf("create again %d\n", zoo_create(zk, "/c", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path));
  printf("get %d", zoo_wget(zk, "/c", watcher, NULL, data, &size, &stat));
  printf(" %.*s version %d length %d\n", size, data, stat.version, stat.dataLength);
  printf("set %d\n", zoo_set(zk, "/c", "two", 3, 0));
  await_event(1);
  printf("set with an old version %d\n", zoo_set(zk, "/c", "three", 5, 0));
  printf("sequential %d", zoo_create(zk, "/c/s-", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL_SEQUENTIAL, path,
                                     sizeof path));
  printf(" %s\n", path);
  printf("delete with children %d\n", zoo_delete(zk, "/c", -1));
  printf("missing %d\n", zoo_exists(zk, "/nowhere", 0, &stat));
}

static void lists_and_acls(zhandle_t* zk) {
  struct String_vector names;
  struct ACL_vector acl;
  struct Stat stat;
  printf("children %d", zoo_get_children2(zk, "/c", 0, &names, &stat));
  printf(" count %d cversion %d\n", names.count, stat.cversion);
  deallocate_String_vector(&names);
  printf("set acl %d\n", zoo_set_acl(zk, "/c", -1, &ZOO_READ_ACL_UNSAFE));
  printf("get acl %d", zoo_get_acl(zk, "/c", &acl, &stat));
  printf(" %d entries, perms %d, %s:%s, aversion %d\n", acl.count, acl.data[0].perms, acl.data[0].id.scheme,
         acl.data[0].id.id, stat.aversion);
  deallocate_ACL_vector(&acl);
  printf("set without right %d\n", zoo_set(zk, "/c", "no", 2, -1));
}

static void transactions(zhandle_t* zk) {
  char path[256];
  zoo_op_t ops[3];
  zoo_op_result_t results[3];
  zoo_create_op_init(&ops[0], "/m", "x", 1, &ZOO_OPEN_ACL_UNSAFE, 0, path, sizeof path);
  zoo_set_op_init(&ops[1], "/m", "y", 1, 0, NULL);
  zoo_check_op_init(&ops[2], "/m", 1);
  printf("multi %d", zoo_multi(zk, 3, ops, results));
  printf(" %d %d %d\n", results[0].err, results[1].err, results[2].err);
  zoo_delete_op_init(&ops[0], "/m", -1);
  zoo_check_op_init(&ops[1], "/nowhere", 0);
  zoo_delete_op_init(&ops[2], "/c", -1);
  printf("failing multi %d", zoo_multi(zk, 3, ops, results));
  printf(" %d %d %d\n", results[0].err, results[1].err, results[2].err);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
  zhandle_t* zk = zookeeper_init(argv[1], watcher, 10000, NULL, NULL, 0);
  await(&connected, 1, 10);
  nodes(zk);
  lists_and_acls(zk);
  transactions(zk);
  printf("close %d\n", zookeeper_close(zk));
  return 0;
}
