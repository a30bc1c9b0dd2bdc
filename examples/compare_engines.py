# %% [markdown]
# # What does the index cost?
# Two networks of the same size, trained on the same digits: one whose sparsity was chosen before training
# (CSC), one that was pruned afterwards and stores an index beside every weight.

# %%
import archsim as a

csc = a.DesignPoint(network="lenet-300-100-csc", engine=a.Csc(pes=16), clock_hz=100e6, technology="cmos65")
pruned = csc.replace(network="lenet-300-100-pruned", engine=a.Pruned(pes=16, gather="banked"))

# %% [markdown]
# `analytic` counts in closed form, `cycle` simulates events; the two agree exactly.

# %%
fast, exact = csc.simulate("analytic"), csc.simulate("cycle")
assert fast.counts == exact.counts
exact

# %% [markdown]
# Side by side, with ratios to the first.

# %%
compared = a.compare([csc, pruned])
compared.T

# %% [markdown]
# Where does the energy go? Every term is a count times a unit cost, with its source.

# %%
terms = exact.explain("energy_j")
terms.groupby("component")["contribution"].sum().sort_values(ascending=False)

# %% [markdown]
# How does it scale? A sweep is a loop: a point takes milliseconds.

# %%
sweep = [csc.replace(engine=a.Csc(pes=pes)).simulate("analytic") for pes in (1, 2, 4, 8, 16, 32, 64)]
[(point.design["engine"]["pes"], point.cycles, point.energy_j) for point in sweep]
