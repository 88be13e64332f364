/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conf-reference - prints config/reference.yaml; for whoever changes the schema.
 */
#include "conf/conf.h"

int
main(void)
{
	sl_conf_reference(stdout);
	return 0;
}
