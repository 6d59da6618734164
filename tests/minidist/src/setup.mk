# Compiles src/sage into $(BUILD)/sage.so; called by build/pkgs/sagelib.
PYX = $(wildcard sage/*/*.pyx)
SRC = $(wildcard sage/*.c sage/*/*.c)
OBJ = $(SRC:%.c=$(BUILD)/%.o) $(PYX:%.pyx=$(BUILD)/%.o)

$(BUILD)/sage.so: $(OBJ)
	$(CC) $(MODULE_FLAGS) -o $@ $(OBJ) $(LDFLAGS) -lcliquer

$(BUILD)/%.o: %.c sage/sage.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(MODULE_FLAGS) -Isage -c -o $@ $<

$(BUILD)/%.o: %.pyx
	@mkdir -p $(@D)
	python3 -m cython $< $(@:.o=.c)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(MODULE_FLAGS) -c -o $@ $(@:.o=.c)
