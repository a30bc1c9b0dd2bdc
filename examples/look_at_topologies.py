# %% [markdown]
# # Topologies that are sparse before training
# What families there are, what a layer of each stores, and whether every input reaches every output.

# %%
import archsim as a
from workloads import fit_budget

list(a.families)

# %% [markdown]
# One layer of 64 inputs and outputs in each family that can meet a budget of 1,024 weights: a quarter of
# the dense matrix.

# %%
rows = []
for name, family in a.families.items():
    if family.grid is None:
        continue
    parameters = fit_budget(name, 64, 64, 1024)
    layer = a.Topology((a.build_layer(name, 64, 64, **parameters),))
    rows.append((name, layer.stored_weights, layer.is_fully_connected()))
rows

# %% [markdown]
# A network of the zoo, and the integers that the hardware computes with.

# %%
trained = a.networks["lenet-300-100-clos"]
integer = a.quantise(trained, 8, 8)
trained

# %%
integer.n_in, integer.n_out, trained.accuracy
