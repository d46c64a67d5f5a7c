// For LD_PRELOAD: as long as the file that $HANGING_DISK names exists, fsync() does not return.
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fsync(int descriptor) {
  const char *file = getenv("HANGING_DISK");
  while (file != NULL && access(file, F_OK) == 0) usleep(10000);
  return (int)syscall(SYS_fsync, descriptor);
}
